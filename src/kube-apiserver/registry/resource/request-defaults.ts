import type { ResourceClaimSpec } from "#api/generated/resource/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

type Request = NonNullable<NonNullable<Draft<ResourceClaimSpec>["devices"]>["requests"]>[number];
type Exact = NonNullable<Request["exactly"]> | NonNullable<Request["firstAvailable"]>[number];
/** What requests have in common, whatever their version. */
type AnyRequest = Pick<Partial<Exact>, "allocationMode" | "count" | "tolerations">;

/** Upstream's defaults of what a claim asks for: one device. */
export function setClaimDefaults(spec: Draft<ResourceClaimSpec> | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    if (exactly) setRequestDefaults(exactly);
    for (const alternative of firstAvailable ?? []) setRequestDefaults(alternative);
  }
}

/** How many devices a request is for. */
export function setRequestDefaults(request: AnyRequest): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
}
