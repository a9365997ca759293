import type { Pod } from "#api/generated/core/v1.ts";
import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { ConnectSubresource } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { chooseContainer, noKubelet, requireNode } from "./stream-target.ts";

/** `exec`, `attach` and `portforward`: the container and the node are checked, then the node would be asked. */
export function streamSubresource(kind: string, needsContainer: boolean, stores: () => Stores): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind },
    verbs: ["create", "get"],
    admitted: true,
    connect: async (name, context, store) => {
      const pod = await store.get(context.info.namespace, name);
      if (needsContainer) chooseContainer(pod, context.query.get("container") ?? "");
      if (!pod.spec?.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
      throw noKubelet(requireNode(pod, stores()));
    },
  };
}
