import { type ResourceVerb, type ServedVersion, subresourcesOf } from "../registry/resource.ts";
import type { ResourceSet } from "../registry/resource-set.ts";

/** A kind as operations name it. */
export interface OperationKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** One resource in one served version: what OpenAPI's paths are made of. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly ResourceVerb[];
  readonly returnsDeleted: boolean;
  readonly subresources: readonly ServedSubresource[];
}

export interface ServedSubresource {
  readonly name: string;
  readonly kind: OperationKind;
  /** `connect` streams or answers something else than an object; `log` is text. */
  readonly type: "object" | "create" | "connect" | "log";
  readonly verbs: readonly ("get" | "update" | "patch")[];
}

const ALL_VERBS: readonly ResourceVerb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** A DELETE of these answers with the object, though upstream's documents say that it is a Status. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(["customresourcedefinitions"]);

/** Every resource in every version that serves it. */
export function servedResources(set: ResourceSet): ServedResource[] {
  const served: ServedResource[] = [];
  for (const definition of set.stored) {
    const own: readonly ServedVersion[] = definition.storageVersionServed === false ? [] : [{ version: definition.version }];
    for (const other of [...own, ...(definition.otherVersions ?? [])]) {
      const { group = definition.group, version } = other;
      served.push({
        group,
        version,
        kind: definition.kind,
        plural: definition.plural,
        namespaced: definition.scope === "Namespaced",
        verbs: definition.verbs ?? ALL_VERBS,
        returnsDeleted: definition.strategy.returnDeletedObject === true && !TOLD_OTHERWISE.has(definition.plural),
        subresources: Object.entries(subresourcesOf(definition, other)).map(([name, subresource]) =>
          servedSubresource(name, subresource, { group, version, kind: definition.kind }),
        ),
      });
    }
  }
  for (const resource of set.virtual) {
    const verbs: ResourceVerb[] = [];
    if (resource.create) verbs.push("create");
    if (resource.get) verbs.push("get");
    if (resource.list) verbs.push("list");
    if (resource.update) verbs.push("update", "patch");
    if (resource.delete) verbs.push("delete");
    const { group, version, kind, plural } = resource;
    served.push({
      group,
      version,
      kind,
      plural,
      namespaced: resource.scope === "Namespaced",
      verbs,
      returnsDeleted: false,
      subresources: [],
    });
  }
  return served;
}

/** Subresources that streams go through, with the kind of their query. */
const CONNECTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Pod: { attach: "PodAttachOptions", exec: "PodExecOptions", portforward: "PodPortForwardOptions", proxy: "PodProxyOptions" },
  Service: { proxy: "ServiceProxyOptions" },
  Node: { proxy: "NodeProxyOptions" },
};

type AnySubresource = {
  readonly type: "status" | "view" | "connect";
  readonly kind?: OperationKind;
  readonly verbs?: readonly string[];
  readonly create?: unknown;
};

function servedSubresource(name: string, subresource: AnySubresource, parent: OperationKind): ServedSubresource {
  const given = (subresource.verbs ?? ["get", "update", "patch"]) as readonly string[];
  const verbs = (["get", "update", "patch"] as const).filter((verb) => given.includes(verb));
  if (subresource.type !== "connect") return { name, kind: subresource.kind ?? parent, type: "object", verbs };
  const connected = CONNECTED[parent.kind]?.[name];
  if (connected !== undefined) return { name, kind: { ...parent, kind: connected }, type: "connect", verbs: [] };
  if (name === "log") return { name, kind: parent, type: "log", verbs: [] };
  return { name, kind: subresource.kind ?? parent, type: "create", verbs: [] };
}
