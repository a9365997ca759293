import type { Ingress } from "#api/generated/networking/v1.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const HOSTS_SHOWN_MAX = 3;
const column = columnsOf<Ingress>("networking.k8s.io/ingresses");

/** Upstream's `printIngress`. */
export const INGRESS_COLUMNS: readonly Column<Ingress>[] = [
  nameColumn,
  column("Class", "string", ({ spec }) => spec?.ingressClassName ?? "<none>"),
  column("Hosts", "string", hosts),
  column("Address", "string", addresses),
  column("Ports", "string", ({ spec }) => (spec?.tls?.length ? "80, 443" : "80")),
  ageColumn,
];

function hosts({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const named = rules.flatMap(({ host }) => host || []);
  if (named.length === 0) return "*";
  const shown = named.slice(0, HOSTS_SHOWN_MAX).join(",");
  // Upstream asks whether there may be more only when it reads the next rule.
  const third = rules.findIndex((_, i) => rules.slice(0, i + 1).filter(({ host }) => host).length === HOSTS_SHOWN_MAX);
  return third >= 0 && third < rules.length - 1 ? `${shown} + ${rules.length - HOSTS_SHOWN_MAX} more...` : shown;
}

function addresses({ status }: Ingress): string {
  const all = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip || hostname || []);
  return [...new Set(all)].sort().join(",");
}
