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
