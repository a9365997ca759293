import type { ConfigMap, Namespace } from "#api/generated/core/v1.ts";

export const ROOT_CA_CONFIG_MAP = "kube-root-ca.crt";

const DESCRIPTION_ANNOTATION = "kubernetes.io/description";
const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

/** What the decision depends on. */
export interface Observed {
  readonly namespace: Namespace;
  readonly configMap: ConfigMap | undefined;
  /** PEM. */
  readonly rootCa: string;
}

export interface Action {
  readonly type: "create" | "update";
  readonly namespace: string;
  readonly configMap: ConfigMap;
}

/** Every living namespace holds the authority that pods verify the API server with, and nothing beside it. */
export function reconcile({ namespace, configMap, rootCa }: Observed): readonly Action[] {
  if (namespace.status?.phase === "Terminating") return [];
  const name = namespace.metadata.name ?? "";
  const data = { "ca.crt": rootCa };
  if (configMap === undefined) {
    const made: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: ROOT_CA_CONFIG_MAP, namespace: name, annotations: { [DESCRIPTION_ANNOTATION]: DESCRIPTION } },
      data,
    };
    return [{ type: "create", namespace: name, configMap: made }];
  }
  const keys = Object.keys(configMap.data ?? {});
  const right =
    keys.length === 1 &&
    configMap.data?.["ca.crt"] === rootCa &&
    (configMap.metadata.annotations?.[DESCRIPTION_ANNOTATION] ?? "") !== "";
  if (right) return [];
  const annotations = { ...configMap.metadata.annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION };
  return [
    { type: "update", namespace: name, configMap: { ...configMap, metadata: { ...configMap.metadata, annotations }, data } },
  ];
}
