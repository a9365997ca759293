import type { ResourceDefinition, ServedVersion, VirtualResource } from "#apiserver/registry/resource.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import { deprecationWarning } from "./registry/deprecation.ts";
import { knownVersion, servedVersion } from "./registry/old-versions/old-version.ts";
import { oldVersionsOf } from "./registry/old-versions/old-versions.ts";
import { oldReviewsOf } from "./registry/old-versions/reviews.ts";
import type { RuntimeConfig } from "./runtime-config.ts";

/**
 * What of all that is there is served: stable versions, and what `--runtime-config` asks for (KEP-3136). Versions that v1.36
 * serves no more are served only where they are asked for by name, and are stored in today's; so are resources that are `gone`.
 */
export function servedVersions(all: ResourceSet, config: RuntimeConfig, gone: readonly VirtualResource[] = []): ResourceSet {
  const today = new Set<string>();
  for (const { group, version, otherVersions = [] } of all.stored) {
    today.add(`${group}/${version}`);
    for (const other of otherVersions) today.add(`${other.group ?? group}/${other.version}`);
  }
  for (const { group, version } of all.virtual) today.add(`${group}/${version}`);
  const servesOld: Wanted = (group, version, resource) =>
    config.servesOld(group, version, resource, today.has(`${group}/${version}`));
  return {
    stored: all.stored.flatMap((definition) => stored(definition as unknown as ResourceDefinition, config, servesOld)),
    virtual: [
      ...all.virtual.flatMap((resource) => virtual(resource, config, servesOld)),
      ...gone.filter(({ group, version, plural }) => servesOld(group, version, plural)),
    ],
  };
}

type Wanted = (group: string, version: string, resource: string) => boolean;

function stored(definition: ResourceDefinition, config: RuntimeConfig, servesOld: Wanted): readonly ResourceDefinition<never>[] {
  const { group, version, plural } = definition;
  const served: ServedVersion[] = [];
  const known: ServedVersion[] = [];
  for (const other of definition.otherVersions ?? []) {
    const otherGroup = other.group ?? group;
    if (config.serves(otherGroup, other.version, plural)) served.push({ ...other, ...warningOf(definition, otherGroup, other) });
    else known.push(other);
  }
  for (const old of oldVersionsOf(definition)) {
    if (servesOld(old.group ?? group, old.version, plural)) served.push(servedVersion(definition, old));
    else known.push(knownVersion(definition, old));
  }
  const own = config.serves(group, version, plural);
  // Parts of the server itself use what is stable, served or not.
  if (!own && served.length === 0 && !isStable(version)) return [];
  const { otherVersions: _, ...rest } = definition;
  const selected: ResourceDefinition = {
    ...rest,
    ...warningOf(definition, group, definition),
    ...(!own && { storageVersionServed: false }),
    otherVersions: served,
    knownVersions: known,
  };
  return [selected as unknown as ResourceDefinition<never>];
}

function virtual(resource: VirtualResource, config: RuntimeConfig, servesOld: Wanted): readonly VirtualResource[] {
  const own = config.serves(resource.group, resource.version, resource.plural);
  const old = oldReviewsOf(resource).filter(({ group, version, plural }) => servesOld(group, version, plural));
  return [...(own ? [resource] : []), ...old];
}

/** What answers warn of: said by hand, or told by the types' releases. */
function warningOf(
  { kind }: ResourceDefinition,
  group: string,
  served: { readonly version: string; readonly deprecationWarning?: string },
): { deprecationWarning?: string } {
  const told = isStable(served.version) ? undefined : deprecationWarning(group, served.version, kind);
  const warning = served.deprecationWarning ?? told;
  return warning === undefined ? {} : { deprecationWarning: warning };
}

function isStable(version: string): boolean {
  return /^v\d+$/.test(version);
}

/** Upstream v1.36 still stores these in a version before the one that is served, so that older servers can read them. */
const STORED_AS: Readonly<Record<string, string>> = {
  "admissionregistration.k8s.io/mutatingadmissionpolicies": "v1beta1",
  "admissionregistration.k8s.io/mutatingadmissionpolicybindings": "v1beta1",
  "apiextensions.k8s.io/customresourcedefinitions": "v1beta1",
  "resource.k8s.io/devicetaintrules": "v1alpha3",
};

/** The version in which upstream stores a resource where ours is stored in another. */
export function upstreamStorageVersion(group: string, plural: string): string | undefined {
  return STORED_AS[`${group}/${plural}`];
}
