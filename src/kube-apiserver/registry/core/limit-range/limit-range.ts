import type { LimitRange, LimitRangeItem } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { PLAIN_COLUMNS } from "../../columns.ts";
import type { RegistryModules } from "../../modules.ts";
import { roundedUp } from "../pod/defaults.ts";
import { validateLimitRange } from "./validation.ts";

/** Limit ranges. One without a name gets a UUID for its name. */
export function limitRanges(modules: Pick<RegistryModules, "random">): ResourceDefinition<LimitRange> {
  return {
    group: "",
    version: "v1",
    kind: "LimitRange",
    plural: "limitranges",
    singular: "limitrange",
    shortNames: ["limits"],
    scope: "Namespaced",
    storagePrefix: "limitranges",
    columns: PLAIN_COLUMNS,
    strategy: {
      allowCreateOnUpdate: true,
      setDefaults: (limitRange) => {
        for (const item of limitRange.spec?.limits ?? []) setItemDefaults(item);
      },
      prepareForCreate: (limitRange) => {
        limitRange.metadata.name ||= modules.random.uuid();
      },
      validate: validateLimitRange,
      validateUpdate: validateLimitRange,
    },
  };
}

const AMOUNT_FIELDS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function setItemDefaults(item: Draft<LimitRangeItem>): void {
  for (const field of AMOUNT_FIELDS) {
    const amounts = item[field];
    if (amounts) item[field] = roundedUp(amounts);
  }
  if (item.type !== "Container") return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}
