import type { Pod, Toleration } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

/** How long a pod stays on a node that is not ready or cannot be reached (`--default-not-ready-toleration-seconds`). */
const TOLERATION_SECONDS = 300;
const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Pods tolerate the two taints of a lost node for a while, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPluginFactory = () => ({
  name: "DefaultTolerationSeconds",
  mutate: ({ operation, group, resource, subresource, object }) => {
    if (group !== "" || resource !== "pods" || subresource !== "") return;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    const { spec } = object as unknown as Draft<Pod>;
    if (spec === undefined) return;
    const given = spec.tolerations ?? [];
    const missing = TAINTS.filter((key) => !given.some((toleration) => covers(toleration, key)));
    if (missing.length === 0) return;
    spec.tolerations = [
      ...given,
      ...missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATION_SECONDS }) as const),
    ];
  },
});

function covers({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}
