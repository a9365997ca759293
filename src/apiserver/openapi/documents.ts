import { createHash } from "node:crypto";
import type { ResourceSet } from "../registry/resource-set.ts";
import { descriptions } from "./descriptions.ts";
import { addFixedOperations } from "./fixed-paths.ts";
import type { Operation, Paths } from "./operation.ts";
import { addResourceOperations } from "./operations.ts";
import { encodeV2Document } from "./protobuf-v2.ts";
import { encodeV3Document } from "./protobuf-v3.ts";
import { renderV2 } from "./render-v2.ts";
import { renderV3 } from "./render-v3.ts";
import { servedResources } from "./served-resource.ts";
import { TypeDocuments } from "./type-document.ts";

interface Documents {
  readonly resources: ResourceSet;
  readonly paths: Paths;
  v2: string | undefined;
  v2Protobuf: Uint8Array | undefined;
  readonly v3: Map<string, string>;
  /** Of the texts that were made. */
  readonly hashes: Map<string, string>;
  index: string | undefined;
}

/** Documents are made when first asked for, and kept as long as the set of resources lives. */
const documents = new WeakMap<ResourceSet, Documents>();

/** What `/openapi/v2` answers with, as JSON text. */
export function openApiV2Document(resources: ResourceSet): string {
  const known = documentsOf(resources);
  known.v2 ??= JSON.stringify(renderV2(known.paths, new TypeDocuments(2, descriptions())));
  return known.v2;
}

/** The v2 document as protobuf, which is what kubectl asks for. */
export function openApiV2Protobuf(resources: ResourceSet): Uint8Array {
  const known = documentsOf(resources);
  known.v2Protobuf ??= encodeV2Document(JSON.parse(openApiV2Document(resources)));
  return known.v2Protobuf;
}

/** What `/openapi/v3` answers with: the documents by path, each URL with a hash of what it leads to. */
export function openApiV3Index(resources: ResourceSet): string {
  const known = documentsOf(resources);
  if (known.index === undefined) {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const path of v3Paths(known.paths)) {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${openApiHash(resources, path)}` };
    }
    known.index = JSON.stringify({ paths });
  }
  return known.index;
}

/** One document of version 3, by a path of the index such as `apis/apps/v1`; undefined when there is none. */
export function openApiV3Document(resources: ResourceSet, path: string): string | undefined {
  const known = documentsOf(resources);
  return v3Paths(known.paths).includes(path) ? v3Document(known, path) : undefined;
}

/** The same as protobuf. */
export function openApiV3Protobuf(document: string): Uint8Array {
  return encodeV3Document(JSON.parse(document));
}

/** The hash of a v3 document, or of `v2` or the index (`v3`): its entity tag, and the query of its URL. */
export function openApiHash(resources: ResourceSet, path: string): string {
  const known = documentsOf(resources);
  let hash = known.hashes.get(path);
  if (hash === undefined) {
    const text =
      path === "v2" ? openApiV2Document(resources) : path === "v3" ? openApiV3Index(resources) : v3Document(known, path);
    hash = createHash("sha512").update(text).digest("hex").toUpperCase();
    known.hashes.set(path, hash);
  }
  return hash;
}

function documentsOf(resources: ResourceSet): Documents {
  let known = documents.get(resources);
  if (known === undefined) {
    known = {
      resources,
      paths: buildPaths(resources),
      v2: undefined,
      v2Protobuf: undefined,
      v3: new Map(),
      hashes: new Map(),
      index: undefined,
    };
    documents.set(resources, known);
  }
  return known;
}

function buildPaths(resources: ResourceSet): Paths {
  const paths = new Map<string, Operation[]>();
  const served = servedResources(resources);
  addFixedOperations(paths, served);
  for (const resource of served) addResourceOperations(paths, resource, descriptions().parameters);
  return paths;
}

/** The paths that a v3 document of built-in resources tells. */
export function builtInPaths(resources: ResourceSet, path: string): Paths {
  return new Map([...documentsOf(resources).paths].filter(([name]) => documentOf(name) === path));
}

function v3Document(known: Documents, path: string): string {
  let text = known.v3.get(path);
  if (text === undefined) {
    const paths = builtInPaths(known.resources, path);
    text = JSON.stringify(renderV3(paths, new TypeDocuments(3, descriptions(), groupVersionOf(path))));
    known.v3.set(path, text);
  }
  return text;
}

function v3Paths(paths: Paths): string[] {
  return [...new Set([...paths.keys()].map(documentOf))].sort();
}

/** Which document tells a path: that of its group version, or of its group, or of its own. */
function documentOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  const [root] = parts;
  if (root === "api") return parts.slice(0, 2).join("/");
  if (root === "apis") return parts.slice(0, 3).join("/");
  return root === "logs" ? "logs" : parts.join("/");
}

function groupVersionOf(path: string): string | undefined {
  const [root, first, second] = path.split("/");
  if (root === "api") return first === undefined ? undefined : `/${first}`;
  return root === "apis" && second !== undefined ? `${first}/${second}` : undefined;
}
