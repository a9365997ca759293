import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/** Keeps a ServiceCIDR while Services have addresses out of it alone (KEP-1880). */
export const SERVICE_CIDR_FINALIZER = "networking.k8s.io/service-cidr-finalizer";
/** API servers have so long to hear that nothing is to be given out of it any more; upstream's `deletionGracePeriod`. */
export const DELETION_GRACE_MS: number = 10_000;

const READY = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" } as const;
const HELD = {
  status: "False",
  reason: "Terminating",
  message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
} as const;

/** What the decision depends on. */
export interface Observed {
  readonly serviceCidr: ServiceCIDR;
  /** Whether a Service would be left with an address out of no ServiceCIDR without it. */
  readonly isNeeded: boolean;
  readonly nowMs: number;
}

type Condition = NonNullable<NonNullable<ServiceCIDR["status"]>["conditions"]>[number];

export type Action =
  | { readonly type: "protect" }
  | { readonly type: "letGo" }
  | { readonly type: "tell"; readonly condition: Condition };

/** Keeps the finalizer and the condition `Ready` of a ServiceCIDR, and lets one go that nobody needs. After upstream's controller. */
export function reconcile(observed: Observed): readonly (Action | RequeueAction)[] {
  const { serviceCidr, nowMs } = observed;
  const { deletionTimestamp, finalizers = [] } = serviceCidr.metadata;
  const isProtected = finalizers.includes(SERVICE_CIDR_FINALIZER);
  if (deletionTimestamp === undefined) {
    return [...(isProtected ? [] : [{ type: "protect" } as const]), ...tell(observed, READY)];
  }
  if (!isProtected) return [];
  if (observed.isNeeded) return tell(observed, HELD);
  const afterMs = Date.parse(deletionTimestamp) + DELETION_GRACE_MS - nowMs;
  return [afterMs > 0 ? { type: "requeue", afterMs } : { type: "letGo" }];
}

function tell({ serviceCidr, nowMs }: Observed, { status, reason, message }: typeof READY | typeof HELD): readonly Action[] {
  const present = serviceCidr.status?.conditions?.find(({ type }) => type === "Ready");
  if (present?.status === status && present.reason === reason && present.message === message) return [];
  const lastTransitionTime = present?.status === status ? present.lastTransitionTime : formatTime(nowMs);
  return [{ type: "tell", condition: { type: "Ready", status, reason, message, lastTransitionTime } }];
}
