import { newQuantity } from "#apimachinery/resource/quantity.ts";
import { objectCountName, type QuotaEvaluator } from "./evaluator.ts";

const ONE = newQuantity(1, 0, "DecimalSI");

/** What was counted before every resource could be. */
const ALIASES: Readonly<Record<string, string>> = {
  configmaps: "configmaps",
  resourcequotas: "resourcequotas",
  replicationcontrollers: "replicationcontrollers",
  secrets: "secrets",
};

/** Counts objects: all that is known of most kinds. */
export function objectCountEvaluator(group: string, resource: string): QuotaEvaluator {
  const alias = group === "" ? ALIASES[resource] : undefined;
  const counted = [objectCountName(group, resource), ...(alias === undefined ? [] : [alias])];
  return {
    group,
    resource,
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === "",
    matchingNames: (names) => names.filter((name) => counted.includes(name)),
    inScope: () => false,
    usage: () => new Map(counted.map((name) => [name, ONE])),
  };
}
