import type { ClusterRole, PolicyRule } from "#api/generated/rbac/v1.ts";
import { bootstrapMeta } from "./bootstrap-meta.ts";
import { CLUSTER_ROLE_TABLE } from "./cluster-role-table.ts";

/** Roles whose rules come from others with a label: their label, and what they aggregate. */
const AGGREGATED: readonly { name: string; aggregates: string; into?: string }[] = [
  { name: "admin", aggregates: "admin" },
  { name: "edit", aggregates: "edit", into: "admin" },
  { name: "view", aggregates: "view", into: "edit" },
];

const AGGREGATE_LABEL = "rbac.authorization.k8s.io/aggregate-to-";

/** Upstream's default cluster roles. Those that aggregate carry their rules already, as the aggregation controller would fill them in. */
export function defaultClusterRoles(): ClusterRole[] {
  const plain = parseTable(CLUSTER_ROLE_TABLE).map(({ name, rules }) => clusterRole(name, rules, labelOf(name)));
  const roles = [...plain];
  // The narrowest first: each is an ingredient of the next.
  for (const { name, aggregates, into } of [...AGGREGATED].reverse()) {
    const label = AGGREGATE_LABEL + aggregates;
    const parts = roles.filter((role) => role.metadata.labels?.[label] === "true");
    const role = clusterRole(name, uniqueRules(parts.flatMap((part) => part.rules ?? [])), into);
    roles.push({ ...role, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: "true" } }] } });
  }
  return roles;
}

/** What publishes the API server's authority: upstream has the role only where ClusterTrustBundles are on. */
export function trustBundlePublisherRole(): ClusterRole {
  return clusterRole(
    "system:controller:kube-apiserver-serving-clustertrustbundle-publisher",
    [
      {
        verbs: ["attest"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["signers"],
        resourceNames: ["kubernetes.io/kube-apiserver-serving"],
      },
      {
        verbs: ["create", "update", "delete", "list", "watch"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["clustertrustbundles"],
      },
      { verbs: ["create", "patch", "update"], apiGroups: ["", "events.k8s.io"], resources: ["events"] },
    ],
    undefined,
  );
}

function labelOf(name: string): string | undefined {
  return /^system:aggregate-to-(admin|edit|view)$/.exec(name)?.[1];
}

function clusterRole(name: string, rules: readonly PolicyRule[], aggregateTo: string | undefined): ClusterRole {
  const labels = aggregateTo === undefined ? {} : { [AGGREGATE_LABEL + aggregateTo]: "true" };
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: bootstrapMeta(name, labels), rules };
}

function uniqueRules(rules: readonly PolicyRule[]): PolicyRule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

function parseTable(table: string): { name: string; rules: PolicyRule[] }[] {
  const roles: { name: string; rules: PolicyRule[] }[] = [];
  for (const line of table.split("\n")) {
    if (line === "") continue;
    if (line.startsWith("  ")) roles.at(-1)?.rules.push(parseRule(line.trim()));
    else roles.push({ name: line, rules: [] });
  }
  return roles;
}

/** One rule in the form of the table. */
export function parseRule(line: string): PolicyRule {
  const [verbs = "", second = "", resources = "", names] = line.split(" ");
  if (second.startsWith("URL:")) return { verbs: verbs.split(","), nonResourceURLs: second.slice(4).split(",") };
  return {
    verbs: verbs.split(","),
    apiGroups: second.split(",").map((group) => (group === "core" ? "" : group)),
    resources: resources.split(","),
    ...(names === undefined ? {} : { resourceNames: names.split(",") }),
  };
}
