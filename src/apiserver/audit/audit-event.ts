/** How much of a request is written down. */
export type AuditLevel = "None" | "Metadata" | "Request" | "RequestResponse";

/** When something is written down. */
export type AuditStage = "RequestReceived" | "ResponseStarted" | "ResponseComplete" | "Panic";

export const AUDIT_LEVELS: readonly AuditLevel[] = ["None", "Metadata", "Request", "RequestResponse"];
export const AUDIT_STAGES: readonly AuditStage[] = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"];

/** Who asks, as reviews name it. */
export interface AuditUser {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** An `audit.k8s.io/v1` Event. */
export interface AuditEvent {
  readonly kind: "Event";
  readonly apiVersion: "audit.k8s.io/v1";
  readonly level: AuditLevel;
  readonly auditID: string;
  readonly stage: AuditStage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: AuditUser;
  readonly impersonatedUser?: AuditUser;
  readonly authenticationMetadata?: { readonly impersonationConstraint: string };
  readonly sourceIPs?: readonly string[];
  readonly userAgent?: string;
  readonly objectRef?: Readonly<Record<string, string>>;
  readonly responseStatus?: object;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where events go: upstream's `audit.Backend`. Never throws; what cannot be kept is told and dropped. */
export interface AuditBackend {
  /** Whether all of them are kept; at once where nobody has to be waited for. The events must not be changed afterwards. */
  process(events: readonly AuditEvent[]): boolean | Promise<boolean>;
  /** Resolves when all that was given is where it belongs, or cannot get there. */
  stop(): Promise<void>;
}
