import type { Pod } from "#api/generated/core/v1.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { RegistryModules } from "../../modules.ts";
import { podProxy } from "../proxy/proxy-subresource.ts";
import { bindingSubresource } from "./binding.ts";
import { POD_COLUMNS } from "./columns.ts";
import { evictionSubresource } from "./eviction.ts";
import { logSubresource } from "./log.ts";
import { podEphemeralContainers, podResize, podStatus, podStrategy } from "./strategy.ts";
import { streamSubresource } from "./streams.ts";

/** Containers that run together on one node. */
export function pods(modules: RegistryModules): ResourceDefinition<Pod> {
  return {
    group: "",
    version: "v1",
    kind: "Pod",
    plural: "pods",
    singular: "pod",
    shortNames: ["po"],
    categories: ["all"],
    scope: "Namespaced",
    storagePrefix: "pods",
    columns: POD_COLUMNS,
    selectableFields: {
      "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
      // The field's name in the first versions of the API.
      "spec.host": (pod) => pod.spec?.nodeName ?? "",
      "spec.restartPolicy": (pod) => pod.spec?.restartPolicy ?? "",
      "spec.schedulerName": (pod) => pod.spec?.schedulerName ?? "",
      "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
      "spec.hostNetwork": (pod) => String(pod.spec?.hostNetwork ?? false),
      "status.phase": (pod) => pod.status?.phase ?? "",
      "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? "",
      // Upstream lets it through, and knows no value for it.
      "status.podIPs": () => "",
      "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
    },
    indexedFields: ["spec.nodeName"],
    strategy: podStrategy(modules.clock),
    subresources: {
      attach: streamSubresource("attach", modules),
      binding: bindingSubresource(modules.clock),
      ephemeralcontainers: podEphemeralContainers,
      eviction: evictionSubresource(() => modules),
      exec: streamSubresource("exec", modules),
      log: logSubresource(modules),
      portforward: streamSubresource("portForward", modules),
      proxy: podProxy(modules),
      resize: podResize,
      status: podStatus,
    },
  };
}
