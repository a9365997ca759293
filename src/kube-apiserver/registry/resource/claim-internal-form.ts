import type { DeviceRequest, ResourceClaimSpec } from "#api/generated/resource/v1.ts";

type Exact = NonNullable<DeviceRequest["exactly"]>;
type Part = Readonly<Record<string, unknown>>;

/** A claim's spec in upstream's internal form, in the order of its structs, as messages print it. */
export function claimInGoForm(spec: ResourceClaimSpec | undefined): Part {
  const { requests, constraints, config } = spec?.devices ?? {};
  return {
    Devices: {
      Requests:
        requests?.map(({ name = "", exactly, firstAvailable }) => ({
          Name: name,
          Exactly: exactly ? { ...head(exactly), AdminAccess: exactly.adminAccess ?? null, ...tail(exactly) } : null,
          FirstAvailable: firstAvailable?.map((one) => ({ Name: one.name ?? "", ...head(one), ...tail(one) })) ?? null,
        })) ?? null,
      Constraints:
        constraints?.map(({ requests: names, matchAttribute, distinctAttribute }) => ({
          Requests: names ?? null,
          MatchAttribute: matchAttribute ?? null,
          DistinctAttribute: distinctAttribute ?? null,
        })) ?? null,
      Config:
        config?.map(({ requests: names, opaque }) => ({
          Requests: names ?? null,
          Opaque: opaque ? { Driver: opaque.driver ?? "", Parameters: opaque.parameters ?? null } : null,
        })) ?? null,
    },
  };
}

function head({ deviceClassName = "", selectors, allocationMode = "", count = 0 }: Omit<Exact, "adminAccess">): Part {
  return {
    DeviceClassName: deviceClassName,
    Selectors: selectors?.map(({ cel }) => ({ CEL: cel ? { Expression: cel.expression } : null })) ?? null,
    AllocationMode: allocationMode,
    Count: count,
  };
}

function tail({ tolerations, capacity }: Omit<Exact, "adminAccess">): Part {
  return {
    Tolerations:
      tolerations?.map(({ key = "", operator = "", value = "", effect = "", tolerationSeconds }) => ({
        Key: key,
        Operator: operator,
        Value: value,
        Effect: effect,
        TolerationSeconds: tolerationSeconds ?? null,
      })) ?? null,
    Capacity: capacity ? { Requests: capacity.requests ?? null } : null,
  };
}
