import type { Node } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { NODES } from "../../framework/resources.ts";
import { type Action, nextStep, type Observed, reconcile, TTL_ANNOTATION } from "./reconcile.ts";

/** Tells nodes how long they may cache what pods mount. */
export const ttlController: ControllerDefinition = {
  name: "ttl-controller",
  create({ client, informers }) {
    const nodes = informers.informer<Node>(NODES);
    let count = 0;
    let step = 0;
    const keys = (type: "add" | "update" | "delete", node: Node): string[] => {
      count += type === "add" ? 1 : type === "delete" ? -1 : 0;
      const before = step;
      step = nextStep(step, count);
      if (step !== before) return nodes.lister.list().map(({ metadata }) => metadata.name ?? "");
      return type === "delete" ? [] : [node.metadata.name ?? ""];
    };
    return controller<Observed, Action>({
      sources: [source(nodes, ({ type, object }) => keys(type, object))],
      observe(name) {
        const node = nodes.lister.get("", name);
        return node === undefined ? undefined : { node, step };
      },
      reconcile,
      async execute(actions) {
        for (const { name, value } of actions) {
          const patch = { metadata: { annotations: { [TTL_ANNOTATION]: value } } };
          try {
            await client.patch(NODES, "", name, "application/strategic-merge-patch+json", patch);
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
