import type { RoleBinding, Subject } from "#api/generated/rbac/v1.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../columns.ts";

/** RoleBinding or ClusterRoleBinding, as far as it is shown. */
type Shown = Pick<RoleBinding, "metadata" | "roleRef" | "subjects">;

/** The columns of bindings, upstream's `printRoleBinding`. `plural` names the resource. */
export function bindingColumns(plural: string): readonly Column<Shown>[] {
  const column = columnsOf<Shown>(`rbac.authorization.k8s.io/${plural}`);
  const wide = { priority: 1 };
  return [
    nameColumn,
    column("Role", "string", ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
    ageColumn,
    column("Users", "string", (binding) => named(binding, "User"), wide),
    column("Groups", "string", (binding) => named(binding, "Group"), wide),
    column("ServiceAccounts", "string", (binding) => named(binding, "ServiceAccount"), wide),
  ];
}

function named({ subjects }: Shown, kind: string): string {
  const ofKind = (subjects ?? []).filter((subject) => subject.kind === kind);
  return ofKind
    .map((subject: Subject) => (kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name))
    .join(", ");
}
