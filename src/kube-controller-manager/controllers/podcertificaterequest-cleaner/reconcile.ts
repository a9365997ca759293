import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** What the decision depends on. */
export interface Observed {
  readonly request: PodCertificateRequest;
  readonly nowMs: number;
}

export interface Action {
  readonly type: "delete";
  readonly request: PodCertificateRequest;
}

/** Every request is answered sooner: upstream's threshold. */
const LIFE_MS: number = 15 * 60 * 1000;

/** Requests go a while after they were made, answered or not: kubelets make new ones. Upstream's `PCRCleanerController`. */
export function reconcile({ request, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const madeAt = parseTime(request.metadata?.creationTimestamp ?? "");
  if (madeAt === undefined) return [];
  const leftMs = madeAt + LIFE_MS - nowMs;
  return leftMs > 0 ? [{ type: "requeue", afterMs: leftMs }] : [{ type: "delete", request }];
}
