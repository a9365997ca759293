import type { Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { setPodDefaults } from "#kube-apiserver/registry/core/pod/defaults.ts";
import { validatePodCreate } from "#kube-apiserver/registry/core/pod/validation/pod.ts";
import { apiReference } from "#kubelet/config/api-references.ts";

const POD = { group: "", version: "v1", kind: "Pod" };

/**
 * The pods of a manifest, one of kind Pod or a PodList, as YAML or JSON: with the defaults that the API server gives, and held
 * to its rules, with the name that they will have there. Throws for what is no valid manifest.
 */
export function decodeManifest(text: string): readonly Pod[] {
  const { value } = parseYaml(text);
  if (typeof value !== "object" || value === null) throw new Error("the manifest holds no object");
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  const isList = (kind === "PodList" || kind === "List") && Array.isArray(items);
  return (isList ? (items as readonly unknown[]) : [value]).map(podOf);
}

function podOf(value: unknown): Pod {
  const bytes = Buffer.from(JSON.stringify(value));
  const { object } = decodeBody({ bytes, format: "json", kind: POD, fieldValidation: "Ignore" });
  const pod = object as unknown as Draft<Pod>;
  setPodDefaults(pod);
  const resource = apiReference(pod as Pod);
  if (resource !== undefined) throw new Error(`static pods may not reference ${resource}`);
  const problems = validatePodCreate({
    ...pod,
    metadata: { ...pod.metadata, namespace: pod.metadata.namespace || "default" },
  } as Pod);
  if (problems.length > 0)
    throw new Error(`invalid pod: ${problems.map(({ field, message }) => `${field}: ${message}`).join(", ")}`);
  return pod as Pod;
}
