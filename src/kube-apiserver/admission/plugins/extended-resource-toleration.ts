import type { Pod, Toleration } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

/** Pods that ask for an extended resource tolerate the taint of that name, which keeps others off the nodes that have it. */
export const extendedResourceToleration: AdmissionPluginFactory = () => ({
  name: "ExtendedResourceToleration",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (group !== "" || resource !== "pods" || subresource !== "") return;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    const { spec } = object as unknown as Draft<Pod>;
    if (spec === undefined) return;
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
    const names = new Set(containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {})).filter(isExtended));
    for (const key of [...names].sort()) {
      const wanted: Toleration = { key, operator: "Exists", effect: "NoSchedule" };
      const given = spec.tolerations ?? [];
      const at = given.findIndex((other) => sameTaints(other, wanted));
      if (at < 0) spec.tolerations = [...given, wanted];
      else spec.tolerations = given.with(at, wanted);
    }
  },
});

/** Upstream's `IsExtendedResourceName`: qualified by a domain that is not Kubernetes' own. */
function isExtended(name: string): boolean {
  if (!name.includes("/") || name.startsWith("requests.")) return false;
  return !(name.split("/")[0] ?? "").endsWith("kubernetes.io");
}

function sameTaints(a: Toleration, b: Toleration): boolean {
  const text = ({ key = "", operator = "Equal", value = "", effect = "" }: Toleration): string =>
    [key, operator, value, effect].join("\n");
  return text(a) === text(b);
}
