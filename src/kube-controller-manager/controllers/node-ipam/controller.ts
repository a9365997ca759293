import type { Node } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { NODES } from "../../framework/resources.ts";
import { NodeRanges } from "./node-ranges.ts";

interface Observed {
  readonly node: Node;
  /** Undefined when all are taken. */
  readonly cidr: string | undefined;
}

type Action = { readonly type: "give"; readonly cidr: string } | { readonly type: "complain" };

/** Gives each node a part of the addresses of pods (`--allocate-node-cidrs`); runs only where it is told which they are. */
export const nodeIpamController: ControllerDefinition = {
  name: "node-ipam-controller",
  eventSource: "cidrAllocator",
  workers: 1,
  create({ client, informers, options, recorder }) {
    const { nodeCidrs } = options;
    if (nodeCidrs === undefined) return undefined;
    const ranges = new NodeRanges(nodeCidrs.clusterCidr, nodeCidrs.maskSize, nodeCidrs.serviceClusterIpRange);
    const nodes = informers.informer<Node>(NODES);
    return controller<Observed, Action>({
      sources: [
        source(nodes, ({ type, object: { metadata, spec } }) => {
          const name = metadata.name ?? "";
          if (type === "delete") ranges.release(name);
          else if (spec?.podCIDR !== undefined) ranges.occupy(name, spec.podCIDR);
          return type === "delete" || spec?.podCIDR !== undefined ? [] : [name];
        }),
      ],
      observe(name) {
        const node = nodes.lister.get("", name);
        if (node === undefined || node.spec?.podCIDR !== undefined) return undefined;
        return { node, cidr: ranges.allocate(name) };
      },
      reconcile: ({ cidr }) => [cidr === undefined ? { type: "complain" } : { type: "give", cidr }],
      async execute(actions, { node }) {
        for (const action of actions) {
          if (action.type === "complain") {
            recorder.event(node, "Normal", "CIDRNotAvailable", `Node ${node.metadata.name} status is now: CIDRNotAvailable`);
            throw new Error("there is no range left for the node");
          }
          const patch = { spec: { podCIDR: action.cidr, podCIDRs: [action.cidr] } };
          try {
            await client.patch(NODES, "", node.metadata.name ?? "", "application/strategic-merge-patch+json", patch);
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
