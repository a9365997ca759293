import { factsFiles } from "#api/generated/facts.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";

/** One kind as OpenAPI's extension names it. */
export interface DocumentedKind {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/** Every group version that registers DeleteOptions and WatchEvent. */
function allGroupVersions(): string[] {
  const known = factsFiles.map((f) => `${f.group}/${f.version}`);
  return [...new Set(known)].filter((gv) => !/^(meta|apidiscovery)\.k8s\.io/.test(gv)).sort();
}

/** What `x-kubernetes-group-version-kind` says of a type; undefined for types that are no kinds. `only` limits it to one version. */
export function groupVersionKinds(schema: StructSchema, only?: string): readonly DocumentedKind[] | undefined {
  const { name } = schema;
  const kind = name.slice(name.lastIndexOf(".") + 1);
  if (name.startsWith(META)) {
    if (kind === "DeleteOptions" || kind === "WatchEvent") {
      return (only === undefined ? allGroupVersions() : [...new Set(["/v1", only])]).map((gv) => documented(gv, kind));
    }
    return ["Status", "APIGroup", "APIGroupList", "APIResourceList", "APIVersions"].includes(kind)
      ? [{ group: "", kind, version: "v1" }]
      : undefined;
  }
  if (!schema.fields.has("kind") || !schema.fields.has("apiVersion")) return undefined;
  const dot = name.lastIndexOf(".");
  const file = factsFiles.find((f) => f.goPackage === name.slice(0, dot));
  if (file === undefined || schemaFor(file.group, file.version, kind) !== schema) return undefined;
  // References carry a kind and a version too, without being kinds.
  return isKind(schema) ? [{ group: file.group, kind, version: file.version }] : undefined;
}

function isKind(schema: StructSchema): boolean {
  return schema.fields.get("kind")?.embedded?.at(-1) === "TypeMeta";
}

function documented(groupVersion: string, kind: string): DocumentedKind {
  const slash = groupVersion.indexOf("/");
  return { group: groupVersion.slice(0, slash), kind, version: groupVersion.slice(slash + 1) };
}
