import type { ControllerRevision, StatefulSet } from "#api/generated/apps/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { byRevision, isRevisionOf, nextRevision, templatePatch } from "../../framework/controller-revisions.ts";
import { revisionHash } from "../../framework/hash.ts";
import { podRevision } from "./pod-state.ts";

const HASH_LABEL = "controller.kubernetes.io/hash";
/** Characters of the set's name that leave room for the hash in a revision's name. */
const NAME_PREFIX_MAX = 223;

/** What a set's revisions are. */
export interface History {
  /** Of pods that are not to be updated yet. */
  readonly current: ControllerRevision;
  /** Of the present template. */
  readonly update: ControllerRevision;
  /** `create` it, or give it a new `renumber` because its template came back; undefined when all is in place. */
  readonly change: "create" | "renumber" | undefined;
}

/** Finds or designs the revisions. Upstream's `getStatefulSetRevisions`. */
export function constructHistory(set: StatefulSet, revisions: readonly ControllerRevision[]): History {
  const sorted = [...revisions].sort(byRevision);
  const patch = templatePatch(set.spec.template);
  const equal = sorted.filter((revision) => isRevisionOf(revision, patch)).at(-1);
  const last = sorted.at(-1);
  const number = nextRevision(sorted);
  let update: ControllerRevision;
  let change: History["change"];
  if (equal === undefined) {
    update = newRevision(set, patch, number);
    change = "create";
  } else if (equal === last) update = equal;
  else {
    update = { ...equal, revision: number };
    change = "renumber";
  }
  const current = sorted.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return { current, update, change };
}

function newRevision(set: StatefulSet, patch: Record<string, unknown>, revision: number): ControllerRevision {
  const { namespace = "", name = "", annotations } = set.metadata;
  const hash = revisionHash(patch, set.status?.collisionCount ?? 0);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name.slice(0, NAME_PREFIX_MAX)}-${hash}`,
      namespace,
      labels: { ...set.spec.template.metadata?.labels, [HASH_LABEL]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference("apps/v1", "StatefulSet", set)],
    },
    data: patch,
    revision,
  };
}

/** Revisions beyond the limit that neither the set nor any pod uses, oldest first. */
export function surplusHistory(
  set: StatefulSet,
  { current, update }: History,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly ControllerRevision[] {
  const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(podRevision)]);
  const old = revisions.filter(({ metadata }) => !live.has(metadata.name)).sort(byRevision);
  const limit = set.spec.revisionHistoryLimit ?? 10;
  return limit < 0 ? [] : old.slice(0, Math.max(0, old.length - limit));
}
