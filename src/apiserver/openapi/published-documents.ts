import { createHash } from "node:crypto";
import type { ResourceDefinition } from "../registry/resource.ts";
import type { ResourceSet } from "../registry/resource-set.ts";
import { addCustomOperations } from "./custom-operations.ts";
import { addCustomTypes } from "./custom-types.ts";
import { descriptions } from "./descriptions.ts";
import {
  builtInPaths,
  openApiHash,
  openApiV2Document,
  openApiV2Protobuf,
  openApiV3Document,
  openApiV3Index,
  openApiV3Protobuf,
} from "./documents.ts";
import type { Operation } from "./operation.ts";
import { encodeV2Document } from "./protobuf-v2.ts";
import { renderV2 } from "./render-v2.ts";
import { renderV3 } from "./render-v3.ts";
import { type ServedResource, servedResources } from "./served-resource.ts";
import { type Json, type OpenApiVersion, TypeDocuments } from "./type-document.ts";
import { documentOf, fragmentsOf, type V2Fragments } from "./v2-fragments.ts";

const CUSTOM_INFO: Json = { title: "Kubernetes CRD Swagger", version: "v0.1.0" };

/** A custom resource in one served version. */
interface Published {
  readonly definition: ResourceDefinition;
  readonly served: ServedResource;
}

/** The documents of one state of the custom resources. */
interface State {
  readonly set: ResourceSet;
  /** By path: `apis/example.com/v1`. */
  readonly groups: ReadonlyMap<string, GroupVersion>;
  v2: { readonly text: string; readonly hash: string; protobuf: Uint8Array | undefined } | undefined;
  index: string | undefined;
}

interface GroupVersion {
  readonly resources: readonly Published[];
  document: { readonly text: string; readonly hash: string } | undefined;
  /** Its part of the v2 document. */
  v2: V2Fragments | undefined;
}

/**
 * OpenAPI documents of the built-in resources, which never change, and of the custom ones, which do. Documents are made when
 * they are asked for; only what tells of changed group versions is made again.
 */
export class PublishedDocuments {
  readonly #builtIn: ResourceSet;
  readonly #current: () => ResourceSet;
  #state: State | undefined;
  #builtInV2: { readonly rest: Json; readonly fragments: V2Fragments } | undefined;

  constructor(builtIn: ResourceSet, current: () => ResourceSet) {
    this.#builtIn = builtIn;
    this.#current = current;
  }

  /** The v2 document with its hash. */
  v2(): { readonly text: string; readonly hash: string } {
    const state = this.#states();
    if (state.groups.size === 0) return { text: openApiV2Document(this.#builtIn), hash: openApiHash(this.#builtIn, "v2") };
    return this.#customV2(state);
  }

  /** The v2 document as protobuf, which older clients ask for. */
  v2Protobuf(): Uint8Array {
    const state = this.#states();
    if (state.groups.size === 0) return openApiV2Protobuf(this.#builtIn);
    const made = this.#customV2(state);
    made.protobuf ??= encodeV2Document(JSON.parse(made.text));
    return made.protobuf;
  }

  /** What `/openapi/v3` answers with. */
  v3Index(): string {
    const state = this.#states();
    if (state.index === undefined) {
      const { paths } = JSON.parse(openApiV3Index(this.#builtIn)) as { paths: Record<string, { serverRelativeURL: string }> };
      for (const [path, group] of state.groups) {
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#document(path, group).hash}` };
      }
      const sorted = Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1));
      state.index = JSON.stringify({ paths: Object.fromEntries(sorted) });
    }
    return state.index;
  }

  /** One document of version 3 with its hash, by a path of the index; undefined when there is none. */
  v3(path: string): { readonly text: string; readonly hash: string } | undefined {
    const group = this.#states().groups.get(path);
    if (group !== undefined) return this.#document(path, group);
    const text = openApiV3Document(this.#builtIn, path);
    return text === undefined ? undefined : { text, hash: openApiHash(this.#builtIn, path) };
  }

  /** A document of version 3 as protobuf. */
  v3Protobuf(text: string): Uint8Array {
    return openApiV3Protobuf(text);
  }

  #states(): State {
    const set = this.#current();
    if (this.#state?.set !== set) this.#state = nextState(set, this.#state);
    return this.#state;
  }

  #document(path: string, group: GroupVersion): { readonly text: string; readonly hash: string } {
    group.document ??= this.#render(path, group);
    return group.document;
  }

  #render(path: string, { resources }: GroupVersion): { readonly text: string; readonly hash: string } {
    const paths = new Map([...builtInPaths(this.#builtIn, path)].map(([name, operations]) => [name, [...operations]]));
    const options = paths.size === 0 ? { info: CUSTOM_INFO, open: true } : {};
    const types = new TypeDocuments(3, descriptions(), path.slice("apis/".length));
    addCustom(resources, paths, types, 3);
    return hashed(JSON.stringify(renderV3(paths, types, options)));
  }

  #customV2(state: State): NonNullable<State["v2"]> {
    if (state.v2 === undefined) {
      const { rest, fragments } = this.#builtInFragments();
      const custom = [...state.groups.values()].map((group) => {
        group.v2 ??= fragmentsOf(renderCustomV2(group), fragments);
        return group.v2;
      });
      state.v2 = { ...hashed(documentOf(rest, [fragments, ...custom])), protobuf: undefined };
    }
    return state.v2;
  }

  #builtInFragments(): { readonly rest: Json; readonly fragments: V2Fragments } {
    if (this.#builtInV2 === undefined) {
      const document = JSON.parse(openApiV2Document(this.#builtIn)) as Json;
      const fragments = fragmentsOf(document);
      this.#builtInV2 = { rest: { ...document, paths: {}, definitions: {}, parameters: {} }, fragments };
    }
    return this.#builtInV2;
  }
}

function renderCustomV2({ resources }: GroupVersion): Json {
  const paths = new Map<string, Operation[]>();
  const types = new TypeDocuments(2, descriptions());
  addCustom(resources, paths, types, 2);
  return renderV2(paths, types);
}

/** What did not change keeps its documents. */
function nextState(set: ResourceSet, before: State | undefined): State {
  const groups = new Map<string, Published[]>();
  const custom = set.stored.filter(({ published }) => published !== undefined) as unknown as ResourceDefinition[];
  for (const definition of custom) {
    const served = servedResources({ stored: [definition as unknown as ResourceDefinition<never>], virtual: [] });
    for (const one of served) {
      if (one.version === definition.version && definition.storageVersionServed === false) continue;
      const path = `apis/${one.group}/${one.version}`;
      groups.set(path, [...(groups.get(path) ?? []), { definition, served: one }]);
    }
  }
  const kept = [...groups].map(([path, resources]): [string, GroupVersion] => {
    const old = before?.groups.get(path);
    const same =
      old?.resources.length === resources.length &&
      resources.every(({ definition }, i) => old.resources[i]?.definition === definition);
    return [path, same && old !== undefined ? old : { resources, document: undefined, v2: undefined }];
  });
  const changed =
    before === undefined || kept.length !== before.groups.size || kept.some(([path, group]) => before.groups.get(path) !== group);
  return { set, groups: new Map(kept), v2: changed ? undefined : before.v2, index: changed ? undefined : before.index };
}

function addCustom(
  resources: readonly Published[],
  paths: Map<string, Operation[]>,
  types: TypeDocuments,
  form: OpenApiVersion,
): void {
  for (const { definition, served } of resources) {
    const type = definition.published?.(served.version);
    if (type === undefined) continue;
    addCustomTypes(types, form, served, type);
    addCustomOperations(paths, served, type, descriptions().parameters);
  }
}

function hashed(text: string): { readonly text: string; readonly hash: string } {
  return { text, hash: createHash("sha512").update(text).digest("hex").toUpperCase() };
}
