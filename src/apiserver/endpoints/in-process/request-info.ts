import type { ResourceId, WatchOptions } from "#client/client.ts";
import type { RequestInfo, UserInfo, Verb } from "../../request/request-info.ts";

/** What the path and the method of a call would tell. */
export function infoOf(verb: Verb, id: ResourceId, namespace: string, name: string, subresource: string): RequestInfo {
  const prefix = id.group === "" ? "api" : "apis";
  const parts = [id.resource];
  let path = id.group === "" ? `/api/${id.version}/${id.resource}` : `/apis/${id.group}/${id.version}/${id.resource}`;
  for (const part of [name, subresource]) {
    if (part === "") continue;
    parts.push(part);
    path += `/${part}`;
  }
  const scope = id.group === "" && id.resource === "namespaces" ? name : namespace;
  return {
    isResourceRequest: true,
    path,
    verb,
    apiPrefix: prefix,
    apiGroup: id.group,
    apiVersion: id.version,
    namespace: scope,
    resource: id.resource,
    subresource,
    name,
    parts,
  };
}

/** The options of a list or a watch as its query. */
export function queryOf(options: Partial<WatchOptions>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (name !== "signal" && value !== undefined) query.set(name, String(value));
  }
  return query;
}

/**
 * The program that a user is, for whom no user agent is told: `system:kube-scheduler` is kube-scheduler, the server's own user is the program; the controllers' accounts all belong to
 * the controller manager.
 */
export function userAgentOf({ name }: UserInfo): string {
  if (name === "system:apiserver") return "kube-apiserver";
  if (name.startsWith("system:serviceaccount:kube-system:")) return "kube-controller-manager";
  if (name.startsWith("system:node:")) return "kubelet";
  return name.startsWith("system:") ? name.slice("system:".length) : name;
}
