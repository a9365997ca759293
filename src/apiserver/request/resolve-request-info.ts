import { parseFieldSelector } from "#apimachinery/fields/selector.ts";
import { ownValue } from "#base/own-value.ts";
import type { RequestInfo, Verb } from "./request-info.ts";

/** Subresources of a namespace itself: what stands behind `/namespaces/NAME/` and is no resource within it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "finalize"]);

const VERBS: Readonly<Record<string, Verb>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** A path that says how to ask but not for what. */
export class UnresolvedPathError extends Error {
  override readonly name = "UnresolvedPathError";
}

const NO_PARTS: readonly string[] = [];

/**
 * What a request asks for, after upstream's `RequestInfoFactory.NewRequestInfo`. `path` is decoded and without query.
 * `/api/v1/watch/...` and `/api/v1/proxy/...` are the deprecated forms that put the verb into the path.
 * Throws {@link UnresolvedPathError} where nothing stands behind that.
 */
export function resolveRequestInfo(method: string, path: string, query: URLSearchParams | undefined): RequestInfo {
  const segments = splitPath(path);
  const prefix = segments[0] ?? "";
  const groupLength = prefix === "api" ? 0 : 1;
  if (segments.length < 3 || (prefix !== "api" && prefix !== "apis") || segments.length < 3 + groupLength) {
    return nonResource(method, path);
  }
  const apiGroup = groupLength === 1 ? (segments[1] ?? "") : "";
  const apiVersion = segments[1 + groupLength] ?? "";
  let parts: readonly string[] = segments.slice(2 + groupLength);
  let verb: Verb | "" = ownValue(VERBS, method) ?? "";
  const special = parts[0] === "watch" || parts[0] === "proxy" ? parts[0] : undefined;
  if (special !== undefined) {
    if (parts.length < 2) throw new UnresolvedPathError("unable to determine kind and namespace from url");
    verb = special;
    parts = parts.slice(1);
  }
  let namespace = "";
  if (parts[0] === "namespaces" && parts.length > 1) {
    namespace = parts[1] ?? "";
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] ?? "")) parts = parts.slice(2);
  }
  const resource = parts[0] ?? "";
  let name = parts[1] ?? "";
  const subresource = special === undefined ? (parts[2] ?? "") : "";
  if (name === "" && verb === "get") {
    verb = query !== undefined && isWatch(query) ? "watch" : "list";
    name = selectedName(query);
  } else if (name === "" && verb === "delete") verb = "deletecollection";
  return {
    isResourceRequest: true,
    path,
    verb: verb as Verb,
    apiPrefix: prefix,
    apiGroup,
    apiVersion,
    namespace,
    resource,
    subresource,
    name,
    parts,
  };
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase() as Verb,
    apiPrefix: "",
    apiGroup: "",
    apiVersion: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    parts: NO_PARTS,
  };
}

function splitPath(path: string): string[] {
  let start = 0;
  let end = path.length;
  while (start < end && path.charCodeAt(start) === 47) start++;
  while (end > start && path.charCodeAt(end - 1) === 47) end--;
  const parts: string[] = [];
  if (start === end) return parts;
  // `split` goes to V8's runtime for texts that it has not seen before, which is several times as far.
  for (let slash = path.indexOf("/", start); slash >= 0 && slash < end; slash = path.indexOf("/", start)) {
    parts.push(path.slice(start, slash));
    start = slash + 1;
  }
  parts.push(path.slice(start, end));
  return parts;
}

/** Whether a query asks for a watch: any value of `watch` but `false` and `0`. */
export function isWatch(query: URLSearchParams): boolean {
  const value = query.get("watch");
  if (value === null) return false;
  const text = value.toLowerCase();
  return text !== "false" && text !== "0";
}

/** A list or watch of one name counts as a request for that name, so that RBAC's resourceNames apply. */
function selectedName(query: URLSearchParams | undefined): string {
  const selector = query?.get("fieldSelector");
  if (!selector?.includes("metadata.name")) return "";
  try {
    const exact = parseFieldSelector(selector).requirements.find((r) => r.field === "metadata.name" && r.operator === "=");
    const name = exact?.value ?? "";
    return name === "." || name === ".." || /[/%]/.test(name) ? "" : name;
  } catch {
    return "";
  }
}
