import type { Node } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { NODES } from "../../framework/resources.ts";
import { NodeRanges } from "./node-ranges.ts";

interface Observed {
  readonly node: Node;
  /** One of each range; undefined where all are taken. */
  readonly cidrs: readonly (string | undefined)[];
}

type Action = { readonly type: "give"; readonly cidrs: readonly string[] } | { readonly type: "complain" };

/** Gives each node a part of the addresses of pods, of each family (`--allocate-node-cidrs`); runs only where it is told which they are. */
export const nodeIpamController: ControllerDefinition = {
  name: "node-ipam-controller",
  eventSource: "cidrAllocator",
  workers: 1,
  create({ client, informers, options, recorder }) {
    const { nodeCidrs } = options;
    if (nodeCidrs === undefined) return undefined;
    const { clusterCidrs, serviceRanges } = nodeCidrs;
    const ranges = clusterCidrs.map(({ cidr, maskSize }) => new NodeRanges(cidr, maskSize, serviceRanges));
    const nodes = informers.informer<Node>(NODES);
    return controller<Observed, Action>({
      sources: [
        source(nodes, ({ type, object: { metadata, spec } }) => {
          const name = metadata.name ?? "";
          for (const range of ranges) {
            if (type === "delete") range.release(name);
            else for (const cidr of spec?.podCIDRs ?? []) range.occupy(name, cidr);
          }
          return type === "delete" || spec?.podCIDR !== undefined ? [] : [name];
        }),
      ],
      observe(name) {
        const node = nodes.lister.get("", name);
        if (node === undefined || node.spec?.podCIDR !== undefined) return undefined;
        return { node, cidrs: ranges.map((range) => range.allocate(name)) };
      },
      reconcile({ cidrs }) {
        const had = cidrs.filter((cidr) => cidr !== undefined);
        return [had.length === cidrs.length ? { type: "give", cidrs: had } : { type: "complain" }];
      },
      async execute(actions, { node }) {
        for (const action of actions) {
          if (action.type === "complain") {
            recorder.event(node, "Normal", "CIDRNotAvailable", `Node ${node.metadata.name} status is now: CIDRNotAvailable`);
            throw new Error("there is no range left for the node");
          }
          const patch = { spec: { podCIDR: action.cidrs[0], podCIDRs: action.cidrs } };
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
