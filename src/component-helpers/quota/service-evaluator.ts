import type { Service } from "#api/generated/core/v1.ts";
import { newQuantity, type Quantity } from "#apimachinery/resource/quantity.ts";
import type { QuotaEvaluator } from "./evaluator.ts";

const COUNT = "count/services";
const NAMES: ReadonlySet<string> = new Set([COUNT, "services", "services.nodeports", "services.loadbalancers"]);

/** Services count; and by their type, which may change, their node ports and load balancers. */
export const serviceEvaluator: QuotaEvaluator = {
  group: "",
  resource: "services",
  handles: () => true,
  matchingNames: (names) => names.filter((name) => NAMES.has(name)),
  inScope: () => false,
  usage: (object) => {
    const service = object as Service;
    return new Map([
      [COUNT, count(1)],
      ["services", count(1)],
      ["services.loadbalancers", count(service.spec?.type === "LoadBalancer" ? 1 : 0)],
      ["services.nodeports", count(nodePorts(service))],
    ]);
  },
};

/** Those that will be allocated: there are none yet when a service is admitted. */
function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") return ports.length;
  if (spec?.type !== "LoadBalancer") return 0;
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => Boolean(nodePort)).length : ports.length;
}

function count(n: number): Quantity {
  return newQuantity(n, 0, "DecimalSI");
}
