import type { Container, EnvVar, Pod } from "#api/generated/core/v1.ts";

/** A variable of a container. */
export interface EnvironmentVariable {
  readonly key: string;
  readonly value: string;
}

/**
 * The variables that a container's spec names by value or by a field of its pod. Those of ConfigMaps, Secrets and of
 * containers' resources are left out: a simulated node does not read them.
 */
export function environmentOf(
  pod: Pod,
  container: Container,
  ips: { readonly pod: string; readonly host: string },
): readonly EnvironmentVariable[] {
  const known = new Map<string, string>();
  for (const variable of container.env ?? []) {
    const value = variableValue(variable, pod, ips);
    if (value !== undefined) known.set(variable.name, expand(value, known));
  }
  return [...known].map(([key, value]) => ({ key, value }));
}

function variableValue(
  { value, valueFrom }: EnvVar,
  pod: Pod,
  ips: { readonly pod: string; readonly host: string },
): string | undefined {
  if (valueFrom === undefined) return value ?? "";
  const path = valueFrom.fieldRef?.fieldPath;
  if (path === undefined) return undefined;
  const { metadata, spec } = pod;
  const [, map = "", key = ""] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? [];
  if (map === "labels") return metadata.labels?.[key] ?? "";
  if (map === "annotations") return metadata.annotations?.[key] ?? "";
  const fields: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
    "metadata.uid": metadata.uid,
    "spec.nodeName": spec.nodeName,
    "spec.serviceAccountName": spec.serviceAccountName,
    "status.hostIP": ips.host,
    "status.hostIPs": ips.host,
    "status.podIP": ips.pod,
    "status.podIPs": ips.pod,
  };
  return fields[path];
}

/** `$(NAME)` is the value of a variable that came before; `$$` is a dollar sign; unknown names stay as they are. */
function expand(text: string, known: ReadonlyMap<string, string>): string {
  // Behind the last bracket nothing is closed: each of many that open would be looked for to the end.
  const end = text.lastIndexOf(")") + 1;
  const replaced = text
    .slice(0, end)
    .replace(/\$\$|\$\(([^)]+)\)/g, (all, name?: string) => (name === undefined ? "$" : (known.get(name) ?? all)));
  return replaced + text.slice(end).replaceAll("$$", () => "$");
}
