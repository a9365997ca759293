import type { Binding, Pod } from "#api/generated/core/v1.ts";
import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { VirtualResource } from "#apiserver/registry/resource.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import { bindPod } from "../pod/binding.ts";

/** `bindings`: the old way to assign a pod to a node; `pods/binding` is the present one. */
export function bindings(modules: { readonly stores: Stores; readonly clock: Clock }): VirtualResource {
  return {
    group: "",
    version: "v1",
    kind: "Binding",
    plural: "bindings",
    singular: "binding",
    scope: "Namespaced",
    create(body, context, dryRun) {
      if (body.metadata.namespace && body.metadata.namespace !== context.info.namespace) {
        throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
      }
      const store = modules.stores.of<Pod>("", "pods");
      return bindPod(body as unknown as Binding, context, { store, clock: modules.clock }, dryRun);
    },
  };
}
