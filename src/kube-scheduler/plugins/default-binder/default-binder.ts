import type { Binding } from "#api/generated/core/v1.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { BindPlugin, Plugin } from "../../framework/plugin.ts";
import { errorStatus, SUCCESS } from "../../framework/status.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };

/** Binds through the pod's `binding` subresource. */
export function defaultBinder(options: { client: Client }): Plugin & BindPlugin {
  return {
    name: "DefaultBinder",
    async bind({ metadata: { name = "", namespace = "", uid = "" } }, nodeName) {
      const binding: Binding = {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { kind: "Node", name: nodeName },
      };
      try {
        await options.client.create<Binding>(PODS, namespace, binding, { name, subresource: "binding" });
        return SUCCESS;
      } catch (error) {
        return errorStatus(error instanceof Error ? error.message : String(error));
      }
    },
  };
}
