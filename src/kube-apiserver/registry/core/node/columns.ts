import type { Node } from "#api/generated/core/v1.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE_LABEL = "kubernetes.io/role";
const column = columnsOf<Node>("/nodes");
const wide = { priority: 1 };

/** Columns of `kubectl get nodes`. */
export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: "Status", type: "string", description: "The status of the node", cell: statusOf },
  { name: "Roles", type: "string", description: "The roles of the node", cell: rolesOf },
  ageColumn,
  column("Version", "string", (o) => o.status?.nodeInfo?.kubeletVersion ?? ""),
  column("Internal-IP", "string", (o) => addressOf(o, "InternalIP"), wide),
  column("External-IP", "string", (o) => addressOf(o, "ExternalIP"), wide),
  column("OS-Image", "string", (o) => o.status?.nodeInfo?.osImage || "<unknown>", wide),
  column("Kernel-Version", "string", kernelOf, wide),
  column("Container-Runtime", "string", (o) => o.status?.nodeInfo?.containerRuntimeVersion || "<unknown>", wide),
];

function statusOf(node: Node): string {
  const ready = (node.status?.conditions ?? []).find((condition) => condition.type === "Ready");
  const words = [ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"];
  if (node.spec?.unschedulable) words.push("SchedulingDisabled");
  return words.join(",");
}

function rolesOf(node: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    const role = key.startsWith(ROLE_PREFIX) ? key.slice(ROLE_PREFIX.length) : key === ROLE_LABEL ? value : "";
    if (role !== "") roles.add(role);
  }
  return [...roles].sort().join(",") || "<none>";
}

function addressOf(node: Node, type: string): string {
  return (node.status?.addresses ?? []).find((address) => address.type === type)?.address ?? "<none>";
}

function kernelOf(node: Node): string {
  const { kernelVersion = "", architecture = "" } = node.status?.nodeInfo ?? {};
  if (kernelVersion === "") return "<unknown>";
  return architecture === "" ? kernelVersion : `${kernelVersion} (${architecture})`;
}
