import type { ControllerRevision, DaemonSet } from "#api/generated/apps/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { byRevision, isRevisionOf, nextRevision, templatePatch } from "../../framework/controller-revisions.ts";
import { templateHash } from "../../framework/hash.ts";
import { REVISION_HASH } from "./daemon-pods.ts";

/** What a DaemonSet's revisions are, and are to be. */
export interface History {
  /** Stands for the present template; when `isNew`, it is to be made. */
  readonly current: ControllerRevision;
  readonly isNew: boolean;
  /** The number that the current one is to get, where it is not the highest: a template came back. */
  readonly renumber: number | undefined;
  /** Further revisions with the present template: pods move to the current one, then these go. */
  readonly duplicates: readonly ControllerRevision[];
  readonly old: readonly ControllerRevision[];
}

/** Finds or designs the revision of the present template. Upstream's `constructHistory`. */
export function constructHistory(set: DaemonSet, revisions: readonly ControllerRevision[]): History {
  const patch = templatePatch(set.spec.template);
  const matching = revisions.filter((revision) => isRevisionOf(revision, patch)).sort(byRevision);
  const old = revisions.filter((revision) => !matching.includes(revision)).sort(byRevision);
  const number = nextRevision(old);
  const current = matching.at(-1);
  if (current === undefined)
    return { current: newRevision(set, patch, number), isNew: true, renumber: undefined, duplicates: [], old };
  return {
    current,
    isNew: false,
    renumber: current.revision < number ? number : undefined,
    duplicates: matching.slice(0, -1),
    old,
  };
}

function newRevision(set: DaemonSet, patch: Record<string, unknown>, revision: number): ControllerRevision {
  const { namespace = "", name = "", annotations } = set.metadata;
  const hash = templateHash(set.spec.template, set.status?.collisionCount);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...set.spec.template.metadata?.labels, [REVISION_HASH]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference("apps/v1", "DaemonSet", set)],
    },
    data: patch,
    revision,
  };
}

/** Old revisions beyond the limit that no pod was made from, oldest first. */
export function surplusHistory(
  set: DaemonSet,
  old: readonly ControllerRevision[],
  isLive: (hash: string | undefined) => boolean,
): ControllerRevision[] {
  const count = old.length - (set.spec.revisionHistoryLimit ?? 10);
  if (count <= 0) return [];
  return old.filter(({ metadata }) => !isLive(metadata.labels?.[REVISION_HASH])).slice(0, count);
}
