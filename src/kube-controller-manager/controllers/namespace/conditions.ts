import type { NamespaceCondition } from "#api/generated/core/v1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";

/** How far the deletion of a namespace's content has come. */
export interface Progress {
  /** By `group/version`: why discovery failed. */
  readonly discoveryFailures: ReadonlyMap<string, string>;
  /** Why content could not be deleted. */
  readonly deletionFailures: readonly string[];
  /** By `resource.group`: how many objects are left. */
  readonly remaining: ReadonlyMap<string, number>;
  /** By finalizer: how many objects have it. */
  readonly finalizers: ReadonlyMap<string, number>;
}

interface Told {
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** The conditions after this progress, and whether they differ from the old ones. Upstream's `namespaceConditionUpdater`. */
export function updateConditions(
  old: readonly NamespaceCondition[],
  progress: Progress,
  nowMs: number,
): { readonly conditions: readonly NamespaceCondition[]; readonly changed: boolean } {
  const conditions = [...old];
  let changed = false;
  for (const [type, told] of Object.entries(tell(progress))) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[at];
    const { status, reason, message } = told;
    if (before === undefined) {
      conditions.push({ type, status, lastTransitionTime: formatTime(nowMs), reason, message });
      changed = true;
    } else if (before.status !== status || before.reason !== reason || before.message !== message) {
      const time = before.status === status ? before.lastTransitionTime : formatTime(nowMs);
      conditions[at] = { ...before, status, reason, message, ...(time === undefined ? {} : { lastTransitionTime: time }) };
      changed = true;
    }
  }
  return { conditions, changed };
}

/** In upstream's order. */
function tell({ discoveryFailures, deletionFailures, remaining, finalizers }: Progress): Readonly<Record<string, Told>> {
  return {
    NamespaceDeletionDiscoveryFailure: failing(discoveryFailures.size > 0, {
      ok: ["ResourcesDiscovered", "All resources successfully discovered"],
      failed: [
        "DiscoveryFailed",
        `Discovery failed for some groups, ${discoveryFailures.size} failing: unable to retrieve the complete list of server APIs: ${join(discoveryFailures, (name, text) => `${name}: ${text}`)}`,
      ],
    }),
    NamespaceDeletionGroupVersionParsingFailure: failing(false, {
      ok: ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
      failed: ["", ""],
    }),
    NamespaceDeletionContentFailure: failing(deletionFailures.length > 0, {
      ok: ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
      failed: [
        "ContentDeletionFailed",
        `Failed to delete all resource types, ${deletionFailures.length} remaining: ${[...deletionFailures].sort().join(", ")}`,
      ],
    }),
    NamespaceContentRemaining: failing(remaining.size > 0, {
      ok: ["ContentRemoved", "All content successfully removed"],
      failed: [
        "SomeResourcesRemain",
        `Some resources are remaining: ${join(remaining, (name, count) => `${name} has ${count} resource instances`)}`,
      ],
    }),
    NamespaceFinalizersRemaining: failing(finalizers.size > 0, {
      ok: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
      failed: [
        "SomeFinalizersRemain",
        `Some content in the namespace has finalizers remaining: ${join(finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
      ],
    }),
  };
}

function failing(failed: boolean, texts: { ok: readonly [string, string]; failed: readonly [string, string] }): Told {
  const [reason, message] = failed ? texts.failed : texts.ok;
  return { status: failed ? "True" : "False", reason, message };
}

function join<V>(map: ReadonlyMap<string, V>, text: (name: string, value: V) => string): string {
  return [...map]
    .map(([name, value]) => text(name, value))
    .sort()
    .join(", ");
}
