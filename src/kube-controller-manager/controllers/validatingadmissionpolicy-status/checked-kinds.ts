import type { ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import type { GroupVersionKind } from "#apimachinery/meta/api-object.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";

type Spec = NonNullable<ValidatingAdmissionPolicy["spec"]>;

/** The most kinds that one rule is checked for. */
const KINDS_MAX = 10;

/** The kinds that a policy's expressions are checked for, sorted. Rules with wildcards are left out. Upstream's `typesToCheck`. */
export function checkedKinds(spec: Spec, resources: readonly DiscoveredResource[]): GroupVersionKind[] {
  const kinds = new Map<string, GroupVersionKind>();
  for (const { apiGroups = [], apiVersions = [], resources: names = [] } of spec.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes("*"))) continue;
    const plain = names.filter((name) => !/[*/]/.test(name));
    const found = resources.filter(
      ({ id }) => apiGroups.includes(id.group) && apiVersions.includes(id.version) && plain.includes(id.resource),
    );
    for (const { id, kind } of found.slice(0, KINDS_MAX)) {
      kinds.set(`${id.group}\n${id.version}\n${kind}`, { group: id.group, version: id.version, kind });
    }
  }
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind);
}
