import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourceDefinition, ResourceVerb, Subresource, VirtualResource } from "#apiserver/registry/resource.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";

interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly subresources?: readonly {
    readonly subresource: string;
    readonly responseKind?: { readonly group: string; readonly version: string; readonly kind: string };
    readonly verbs: readonly string[];
  }[];
}

interface Discovery {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly DiscoveredResource[] }[];
  }[];
}

/** Kinds whose DELETE answers with the object; group names as in paths. */
const RETURNS_DELETED = new Set(
  "pods persistentvolumeclaims podtemplates resourcequotas serviceaccounts services persistentvolumes deviceclasses resourceclaims resourceclaimtemplates resourceslices devicetaintrules resourcepoolstatusrequests csidrivers csinodes storageclasses volumeattachments volumeattributesclasses".split(
    " ",
  ),
);

const CONNECTS = new Set(["attach", "exec", "portforward", "proxy", "log", "binding", "eviction", "token"]);

/** A set of resources as discovery tells it: every version on its own, without behaviour. */
export function builtInDocumentedResources(upstream: string): ResourceSet {
  const core = JSON.parse(readFileSync(join(upstream, "discovery/aggregated_v2.json"), "utf8")) as Discovery;
  const stored: ResourceDefinition<never>[] = [];
  const virtual: VirtualResource[] = [];
  for (const item of core.items) {
    for (const { version, resources } of item.versions) {
      for (const resource of resources) add(stored, virtual, item.metadata.name ?? "", version, resource);
    }
  }
  for (const resource of coreResources(upstream)) add(stored, virtual, "", "v1", resource);
  return { stored, virtual };
}

function add(
  stored: ResourceDefinition<never>[],
  virtual: VirtualResource[],
  group: string,
  version: string,
  resource: DiscoveredResource,
): void {
  const { verbs } = resource;
  const common = {
    group,
    version,
    kind: resource.responseKind.kind,
    plural: resource.resource,
    singular: resource.singularResource,
    scope: resource.scope as "Namespaced" | "Cluster",
  };
  if (!verbs.includes("update")) {
    const never = (): never => {
      throw new Error("only documented");
    };
    virtual.push({
      ...common,
      ...(verbs.includes("create") ? { create: never } : {}),
      ...(verbs.includes("get") ? { get: never } : {}),
      ...(verbs.includes("list") ? { list: never } : {}),
    });
    return;
  }
  const subresources = (resource.subresources ?? []).map((s) => [s.subresource, subresourceOf(s)] as const);
  stored.push({
    ...common,
    storagePrefix: common.plural,
    columns: [],
    strategy: { returnDeletedObject: RETURNS_DELETED.has(common.plural) },
    subresources: Object.fromEntries(subresources),
    verbs: verbs as readonly ResourceVerb[],
  });
}

function subresourceOf(discovered: NonNullable<DiscoveredResource["subresources"]>[number]): Subresource<never> {
  const kind = discovered.responseKind;
  if (CONNECTS.has(discovered.subresource)) {
    return { type: "connect", kind: kind ?? { group: "", version: "v1", kind: "Status" }, verbs: ["create"] };
  }
  const verbs = discovered.verbs as readonly ("get" | "update" | "patch")[];
  if (kind?.kind === "Scale") return { type: "view", kind, verbs, read: (object) => object, write: () => {} };
  return { type: "status", verbs };
}

/** Aggregated discovery tells the core group in a file of its own. */
function coreResources(upstream: string): DiscoveredResource[] {
  const list = JSON.parse(readFileSync(join(upstream, "discovery/api__v1.json"), "utf8")) as {
    resources: {
      name: string;
      kind: string;
      group?: string;
      version?: string;
      namespaced: boolean;
      singularName: string;
      verbs: string[];
    }[];
  };
  const main = list.resources.filter((r) => !r.name.includes("/"));
  return main.map((r) => ({
    resource: r.name,
    responseKind: { group: "", version: "v1", kind: r.kind },
    scope: r.namespaced ? "Namespaced" : "Cluster",
    singularResource: r.singularName,
    verbs: r.verbs,
    subresources: list.resources
      .filter((s) => s.name.startsWith(`${r.name}/`))
      .map((s) => ({
        subresource: s.name.slice(r.name.length + 1),
        responseKind: { group: s.group ?? "", version: s.version ?? "v1", kind: s.kind },
        verbs: s.verbs,
      })),
  }));
}
