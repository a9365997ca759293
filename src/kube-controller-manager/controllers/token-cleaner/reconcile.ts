import type { Secret } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** The type of Secrets that hold bootstrap tokens. */
export const BOOTSTRAP_TOKEN_TYPE = "bootstrap.kubernetes.io/token";

/** What the decision depends on. */
export interface Observed {
  readonly secret: Secret;
  readonly nowMs: number;
}

export interface Action {
  readonly type: "delete";
  readonly secret: Secret;
}

/** A bootstrap token goes when its time is up, and when nobody can tell when that is. */
export function reconcile({ secret, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const expiration = Buffer.from(secret.data?.expiration ?? "", "base64").toString("utf8");
  if (secret.type !== BOOTSTRAP_TOKEN_TYPE || expiration === "" || secret.metadata.deletionTimestamp !== undefined) return [];
  const leftMs = (parseTime(expiration) ?? 0) - nowMs;
  return leftMs > 0 ? [{ type: "requeue", afterMs: leftMs }] : [{ type: "delete", secret }];
}
