import { X509Certificate } from "node:crypto";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** What the decision depends on. */
export interface Observed {
  readonly csr: CertificateSigningRequest;
  readonly nowMs: number;
}

export interface Action {
  readonly type: "delete";
  readonly csr: CertificateSigningRequest;
}

const HOUR_MS = 60 * 60 * 1000;
/** How long a request stays that was signed, denied or failed. */
const DECIDED_MS = HOUR_MS;
/** How long one stays that nobody looked at. */
const PENDING_MS: number = 24 * HOUR_MS;

/** Requests go when their time is over: signers and kubelets make many of them. Upstream's `CSRCleanerController`. */
export function reconcile({ csr, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const ends = endsAt(csr);
  if (ends === undefined) return [];
  return nowMs > ends ? [{ type: "delete", csr }] : [{ type: "requeue", afterMs: ends - nowMs + 1 }];
}

/** When a request is to go, in milliseconds since the Unix epoch; undefined as long as that is not known. */
function endsAt({ metadata, status }: CertificateSigningRequest): number | undefined {
  const conditions = status?.conditions ?? [];
  const certificate = status?.certificate ?? "";
  const ends: number[] = [];
  if (conditions.length === 0) ends.push(after(metadata?.creationTimestamp, PENDING_MS));
  for (const { type, lastUpdateTime } of conditions) {
    if (type === "Denied" || type === "Failed") ends.push(after(lastUpdateTime, DECIDED_MS));
    if (type === "Approved" && certificate !== "") ends.push(after(lastUpdateTime, DECIDED_MS), expiryOf(certificate));
  }
  const first = Math.min(...ends);
  return Number.isFinite(first) ? first : undefined;
}

function after(time: string | null | undefined, durationMs: number): number {
  const parsed = typeof time === "string" ? parseTime(time) : undefined;
  return parsed === undefined ? Number.POSITIVE_INFINITY : parsed + durationMs;
}

function expiryOf(certificate: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, "base64")).validTo);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
