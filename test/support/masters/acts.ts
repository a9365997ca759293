import type { Act } from "../history/leadership.ts";
import type { Elected } from "./elected.ts";
import type { Masters } from "./masters.ts";

/** What controllers and schedulers have written, by the audit logs. */
export interface ProgramActs {
  readonly acts: readonly (Act & { readonly of: Elected })[];
  /** What nobody can be found for. */
  readonly unknown: readonly string[];
  /** Pods that were asked for long before they were made: whoever led then could not know of them. */
  readonly latePods: ReadonlySet<string>;
  /** Pods whose makers were told that they have made them. A store that breaks off may have done what a server could not answer for. */
  readonly toldPods: ReadonlySet<string>;
}

/** What {@link programActs} looks at. */
export interface ActsWanted {
  readonly namespace: string;
  /** Sizes of the audit logs behind which it reads. */
  readonly from: readonly number[];
  /** When each pod got its node, by name: the revision. */
  readonly placed: ReadonlyMap<string, number>;
  /** Whether what a machine sent or got at that time may have been sent long before. */
  readonly wasOnItsWay: (machine: string, at: number) => boolean;
}

/** Reads the audit logs of a trial: what was written in its namespace, by which machine. */
export function programActs(masters: Masters, { namespace, from, placed, wasOnItsWay }: ActsWanted): ProgramActs {
  learnTokens(masters);
  const events = masters.audit.lines(from).map(({ server, line }) => ({ ...(JSON.parse(line) as AuditEvent), server }));
  const unknown: string[] = [];
  const latePods = new Set<string>();
  const toldPods = new Set<string>();
  const acts = events.flatMap((event) => {
    const { resource = "", name = "", subresource = "", namespace: where = "" } = event.objectRef ?? {};
    if (where !== namespace || (event.responseStatus?.code ?? 0) >= 300) return [];
    const what = `${event.verb} ${resource}/${name}/${subresource} ${event.requestReceivedTimestamp} at ${event.server}`;
    const instance = masters.users.get(credentialOf(event));
    const made =
      event.verb === "create" && resource === "pods" && subresource === "" ? event.responseObject?.metadata?.name : undefined;
    if (made !== undefined) toldPods.add(made);
    if (instance === undefined) {
      unknown.push(`nobody knows who did ${what} as ${event.user.username} ${credentialOf(event)}`);
      return [];
    }
    const times = masters.clocks.trueTimes(event.server, Date.parse(event.requestReceivedTimestamp));
    if (times.some((at) => wasOnItsWay(event.server, at) || wasOnItsWay(instance, at))) {
      if (made !== undefined) latePods.add(made);
      return [];
    }
    const revision =
      subresource === "binding" ? placed.get(name) : Number(event.responseObject?.metadata?.resourceVersion ?? "0");
    if (revision === undefined || revision === 0) return [];
    const of: Elected = event.user.username === "system:kube-scheduler" ? "kube-scheduler" : "kube-controller-manager";
    return [{ instance, revision, what, times, of }];
  });
  return { acts, unknown, latePods, toldPods };
}

/** Controllers act by tokens, which their machine has asked for: perhaps long before, as they are kept until their time is over. */
function learnTokens({ audit, users }: Masters): void {
  for (const { line } of audit.lines()) {
    if (!line.includes('"subresource":"token"')) continue;
    const event = JSON.parse(line) as AuditEvent;
    const token = event.responseObject?.status?.token;
    const instance = users.get(credentialOf(event));
    if (token !== undefined && instance !== undefined) users.set(`JTI=${tokenId(token)}`, instance);
  }
}

interface AuditEvent {
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly responseObject?: {
    readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
    readonly status?: { readonly token?: string };
  };
}

/** What somebody proved himself with. */
function credentialOf({ user }: AuditEvent): string {
  return user.extra?.["authentication.kubernetes.io/credential-id"]?.[0] ?? "";
}

function tokenId(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { readonly jti?: string };
  return claims.jti ?? "";
}
