import type { Service } from "#api/generated/core/v1.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf, formatLabels } from "../../columns.ts";

const column = columnsOf<Service>("/services");

/** Columns of `kubectl get services`. */
export const serviceColumns: readonly Column<Service>[] = [
  nameColumn,
  column("Type", "string", (o) => o.spec.type ?? ""),
  column("Cluster-IP", "string", (o) => o.spec.clusterIPs?.[0] ?? "<none>"),
  column("External-IP", "string", externalIps),
  column("Port(s)", "string", ports),
  ageColumn,
  column("Selector", "string", (o) => formatLabels(o.spec.selector), { priority: 1 }),
];

function externalIps(service: Service): string {
  const { type, externalIPs = [], externalName = "" } = service.spec;
  if (type === "ClusterIP" || type === "NodePort") return externalIPs.join(",") || "<none>";
  if (type === "ExternalName") return externalName;
  if (type !== "LoadBalancer") return "<unknown>";
  const ingress = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  const all = [...new Set(ingress)].sort();
  return [...all, ...externalIPs].join(",") || "<pending>";
}

function ports(service: Service): string {
  const all = service.spec.ports ?? [];
  if (all.length === 0) return "<none>";
  return all.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ""}/${protocol}`).join(",");
}
