import type { DeleteRequest, ListOptions, ResourceId, WriteOptions } from "./client.ts";

/** The URL path of a resource, an object or a subresource; `namespace` empty for cluster scope and all namespaces. */
export function resourcePath(id: ResourceId, namespace: string, name = "", subresource = ""): string {
  const root = id.group === "" ? `/api/${id.version}` : `/apis/${id.group}/${id.version}`;
  const scope = namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === "" ? "" : `/${encodeURIComponent(name)}`;
  const sub = subresource === "" ? "" : `/${subresource}`;
  return `${root}${scope}/${id.resource}${object}${sub}`;
}

/** The query of a list, with its `?`, or nothing. */
export function listQuery(options: ListOptions, more: Readonly<Record<string, string | undefined>> = {}): string {
  return query({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
    limit: options.limit === undefined ? undefined : String(options.limit),
    continue: options.continue,
    ...more,
  });
}

/** The query of a write, with its `?`, or nothing. */
export function writeQuery(options: WriteOptions): string {
  return query({
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? "All" : undefined,
    force: options.force ? "true" : undefined,
  });
}

/** The body of a DELETE, or undefined when nothing is asked for. */
export function deleteBody(options: DeleteRequest): object | undefined {
  const { gracePeriodSeconds, propagationPolicy, preconditions } = options;
  if (gracePeriodSeconds === undefined && propagationPolicy === undefined && preconditions === undefined) return undefined;
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
  };
}

function query(values: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
