import type { GenericStore } from "./generic-store.ts";

const METRICS = [
  {
    name: "apiserver_resource_objects",
    help: "[ALPHA] Number of stored objects by resource.",
    labels: (group: string, resource: string) => `group="${group}",resource="${resource}"`,
  },
  {
    name: "apiserver_storage_objects",
    help: "[STABLE] (Deprecated since 1.34.0) Number of stored objects by resource.",
    labels: (group: string, resource: string) => `resource="${group === "" ? resource : `${resource}.${group}`}"`,
  },
];

/** How many objects there are of each resource, in Prometheus' text form and under upstream's names: counted when it is asked for. */
export function objectCounts(stores: { all(): Iterable<GenericStore> }): string {
  const counts = [...stores.all()].map(({ core, definition: { group, plural } }) => ({
    group,
    plural,
    count: core.stored.tree.size,
  }));
  const lines: string[] = [];
  for (const { name, help, labels } of METRICS) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`);
    for (const { group, plural, count } of counts) lines.push(`${name}{${labels(group, plural)}} ${count}`);
  }
  return `${lines.join("\n")}\n`;
}
