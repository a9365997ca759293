import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import type { ApiObject, ObjectMeta } from "#apimachinery/meta/api-object.ts";

/** Keeps, in the definition, what a third-party resource says beyond it. */
const ORIGIN = "kybern.io/third-party-resource";
const APPROVAL = "api-approved.kubernetes.io";

/** `extensions/v1beta1 ThirdPartyResource`: what custom resources were defined by before there were definitions of them. */
export interface ThirdPartyResource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly description?: string;
  readonly versions?: readonly { readonly name?: string; readonly apiGroup?: string }[];
}

/** What the annotation holds. */
interface Origin {
  readonly namespace: string;
  readonly name: string;
  readonly description?: string;
}

/** Kind, group and names that a name such as `cron-tab.stable.example.com` stands for; undefined for fewer than three parts. */
export function thirdPartyNames(name: string): { kind: string; group: string; plural: string; singular: string } | undefined {
  const [first = "", ...rest] = name.split(".");
  if (first === "" || rest.length < 2) return undefined;
  const kind = first
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
  const singular = kind.toLowerCase();
  return { kind, group: rest.join("."), plural: pluralOf(singular), singular };
}

/** Upstream's `UnsafeGuessKindToResource`. */
function pluralOf(singular: string): string {
  if (singular.endsWith("s")) return `${singular}es`;
  if (singular.endsWith("y")) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}

/** The definition that a third-party resource is kept as: its objects lie in namespaces and may hold anything. */
export function toDefinition(resource: ThirdPartyResource): CustomResourceDefinition {
  const { name = "", namespace = "", annotations, labels } = resource.metadata;
  const { kind, group, plural, singular } = thirdPartyNames(name) ?? { kind: "", group: "", plural: "", singular: "" };
  const { description } = resource;
  const origin: Origin = { namespace, name, ...(description !== undefined && { description }) };
  const approval = /(^|\.)(k8s|kubernetes)\.io$/.test(group) ? { [APPROVAL]: "unapproved, a third-party resource" } : {};
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      ...(labels && { labels }),
      annotations: { ...annotations, ...approval, [ORIGIN]: JSON.stringify(origin) },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, singular, kind, listKind: `${kind}List` },
      versions: (resource.versions ?? []).map((version, i) => ({
        name: version.name ?? "",
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema },
      })),
    },
  } as CustomResourceDefinition;
}

/** The third-party resource that a definition was made from; undefined for others. */
export function fromDefinition(definition: CustomResourceDefinition): (ThirdPartyResource & ApiObject) | undefined {
  const { annotations = {}, labels, uid, resourceVersion, creationTimestamp, deletionTimestamp } = definition.metadata;
  const { [ORIGIN]: text, [APPROVAL]: approval, ...rest } = annotations;
  const origin = readOrigin(text);
  if (origin === undefined) return undefined;
  const kept = approval?.startsWith("unapproved, a third") === false ? { ...rest, [APPROVAL]: approval } : rest;
  return {
    apiVersion: "extensions/v1beta1",
    kind: "ThirdPartyResource",
    metadata: {
      name: origin.name,
      namespace: origin.namespace,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(labels && { labels }),
      ...(Object.keys(kept).length > 0 && { annotations: kept }),
    },
    ...(origin.description !== undefined && { description: origin.description }),
    versions: definition.spec.versions.map(({ name }) => ({ name, apiGroup: "extensions" })),
  };
}

function readOrigin(text: string | undefined): Origin | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Origin> | null;
    return typeof value?.name === "string" && typeof value.namespace === "string" ? (value as Origin) : undefined;
  } catch {
    return undefined;
  }
}
