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
    connect: async (name, context, store) => {
      const pod = await store.get(context.info.namespace, name);
      if (needsContainer) chooseContainer(pod, context.query.get("container") ?? "");
      if (!pod.spec?.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
      throw noKubelet(requireNode(pod, stores()));
    },
  };
}

/** `proxy`: only pods with a routable address can be reached. `name` may be `scheme:name:port`. */
export function proxySubresource(): ConnectSubresource<Pod> {
  return {
    type: "connect",
    kind: { group: "", version: "v1", kind: "PodProxyOptions" },
    verbs: ["create", "delete", "get", "patch", "update"],
    connect: async (name, context, store) => {
      const parts = name.split(":");
      const podName = parts.length === 3 ? parts[1] : parts[0];
      if (!podName || parts.length > 3) throw badRequest(`invalid pod request ${JSON.stringify(name)}`);
      await store.get(context.info.namespace, podName);
      throw badRequest("address not allowed");
    },
  };
}
