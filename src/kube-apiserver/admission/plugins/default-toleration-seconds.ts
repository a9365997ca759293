import type { Pod, Toleration } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";

/** How long a pod stays on a node that is not ready, or cannot be reached: upstream's `--default-*-toleration-seconds`. */
export interface TolerationSeconds {
  /** Default 300. */
  readonly notReady?: number;
  /** Default 300. */
  readonly unreachable?: number;
}

const TOLERATION_SECONDS = 300;

/** Pods tolerate the two taints of a lost node for a while, unless they say otherwise. */
export function defaultTolerationSeconds(seconds: TolerationSeconds = {}): AdmissionPluginFactory {
  const taints = [
    { key: "node.kubernetes.io/not-ready", tolerationSeconds: seconds.notReady ?? TOLERATION_SECONDS },
    { key: "node.kubernetes.io/unreachable", tolerationSeconds: seconds.unreachable ?? TOLERATION_SECONDS },
  ];
  return () => ({
    name: "DefaultTolerationSeconds",
    mutate: ({ operation, group, resource, subresource, object }) => {
      if (group !== "" || resource !== "pods" || subresource !== "") return;
      if (operation !== "CREATE" && operation !== "UPDATE") return;
      const { spec } = object as unknown as Draft<Pod>;
      if (spec === undefined) return;
      const given = spec.tolerations ?? [];
      const missing = taints.filter(({ key }) => !given.some((toleration) => covers(toleration, key)));
      if (missing.length === 0) return;
      spec.tolerations = [...given, ...missing.map(toleration)];
    },
  });
}

// Written out: V8 finds no shape for copies to which further members are added, and each reader of theirs asks for it anew.
function toleration({ key, tolerationSeconds }: { readonly key: string; readonly tolerationSeconds: number }): Toleration {
  return { key, operator: "Exists", effect: "NoExecute", tolerationSeconds };
}

function covers({ key, effect }: Toleration, taint: string): boolean {
  return (!key || key === taint) && (!effect || effect === "NoExecute");
}
