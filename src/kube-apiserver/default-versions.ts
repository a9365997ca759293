import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";

/** What is served when nobody asks for more: versions that are neither alpha nor beta (KEP-3136). */
export function defaultVersions({ stored, virtual }: ResourceSet): ResourceSet {
  return {
    stored: stored.flatMap((definition) => stableOnly(definition)),
    virtual: virtual.filter(({ version }) => isStable(version)),
  };
}

function stableOnly(definition: ResourceDefinition<never>): readonly ResourceDefinition<never>[] {
  const others = (definition.otherVersions ?? []).filter(({ version }) => isStable(version));
  if (!isStable(definition.version) && others.length === 0) return [];
  return [{ ...definition, otherVersions: others }];
}

function isStable(version: string): boolean {
  return /^v\d+$/.test(version);
}

/** Upstream v1.36 still stores these in the version before the one that is served, so that v1.35 can read them. */
const STORED_AS: Readonly<Record<string, string>> = {
  "admissionregistration.k8s.io/mutatingadmissionpolicies": "v1beta1",
  "admissionregistration.k8s.io/mutatingadmissionpolicybindings": "v1beta1",
};

/** The version in which upstream stores a resource where ours is stored in another. */
export function upstreamStorageVersion(group: string, plural: string): string | undefined {
  return STORED_AS[`${group}/${plural}`];
}
