import { lifecycleOf } from "#apimachinery/schema/registry.ts";

/** The minor version of Kubernetes that is served: 1.36. */
const MINOR = 36;

/** Releases for which versions that are not stable are served, and then deprecated, where nothing else is said. */
const RELEASES = 3;

/**
 * What upstream warns of in every answer about a deprecated kind: its `deprecation.WarningMessage`. Undefined for kinds that
 * are not deprecated yet. What the types leave open follows as upstream's `prerelease-lifecycle-gen` has it.
 */
export function deprecationWarning(group: string, version: string, kind: string): string | undefined {
  const { introduced, deprecated, removed, replacement } = lifecycleOf(group, version, kind) ?? {};
  const stable = /^v\d+$/.test(version);
  const since = minorOf(deprecated) ?? (stable || introduced === undefined ? undefined : after(introduced));
  if (since === undefined || since > MINOR) return undefined;
  const until = minorOf(removed) ?? (stable ? undefined : since + RELEASES);
  const [newGroup = "", newVersion = "", newKind = ""] = replacement?.split(",") ?? [];
  return [
    `${group === "" ? version : `${group}/${version}`} ${kind} is deprecated in v1.${since}+`,
    ...(until === undefined ? [] : [`, unavailable in v1.${until}+`]),
    ...(replacement === undefined ? [] : [`; use ${newGroup === "" ? newVersion : `${newGroup}/${newVersion}`} ${newKind}`]),
  ].join("");
}

/** The minor version of a release such as `1.36`. */
function minorOf(release: string | undefined): number | undefined {
  return release === undefined ? undefined : Number(release.split(".")[1]);
}

function after(release: string): number {
  return (minorOf(release) ?? 0) + RELEASES;
}
