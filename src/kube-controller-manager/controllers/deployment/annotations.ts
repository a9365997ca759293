import type { Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import { desiredReplicas, fenceposts } from "./replica-sets.ts";

export const REVISION = "deployment.kubernetes.io/revision";
export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";
export const ROLLBACK_TO = "deprecated.deployment.rollback.to";

const NOT_COPIED: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
]);

/** Characters of the list of revisions that a ReplicaSet had. */
const REVISION_HISTORY_CHARS_MAX = 2000;

type Annotations = Readonly<Record<string, string>>;

/** 0 for ReplicaSets without revision. */
export function revisionOf(object: ReplicaSet | Deployment): number {
  const text = object.metadata.annotations?.[REVISION];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0;
}

/** The greatest revision; 0 when there is none. */
export function maxRevision(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((most, replicaSet) => Math.max(most, revisionOf(replicaSet)), 0);
}

/** What the annotation on a ReplicaSet says of the Deployment's size when it was last scaled. */
export function numberAnnotation(replicaSet: ReplicaSet, name: string): number | undefined {
  const text = replicaSet.metadata.annotations?.[name];
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
}

/** The annotations with the Deployment's size put in. */
export function withReplicas(annotations: Annotations | undefined, deployment: Deployment): Annotations {
  const desired = desiredReplicas(deployment);
  return {
    ...annotations,
    [DESIRED_REPLICAS]: String(desired),
    [MAX_REPLICAS]: String(desired + fenceposts(deployment).maxSurge),
  };
}

/**
 * The annotations of the new ReplicaSet: the Deployment's, and the revision, which only grows; a revision that it had
 * before a rollback goes into its history. Upstream's `SetNewReplicaSetAnnotations`.
 */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  existing: Annotations | undefined,
  revision: number,
): Annotations {
  const annotations: Record<string, string> = { ...existing };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_COPIED.has(name)) annotations[name] = value;
  }
  const oldText = annotations[REVISION];
  if (oldText !== undefined && oldText !== "" && !/^-?\d+$/.test(oldText)) return annotations;
  const old = Number(oldText ?? 0);
  if (old >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (oldText !== undefined) {
    const history = extendHistory(annotations[REVISION_HISTORY] ?? "", oldText);
    if (history !== undefined) annotations[REVISION_HISTORY] = history;
  }
  return annotations;
}

/** Drops the oldest entries when the list grows too long; undefined when even one would not fit. */
function extendHistory(history: string, revision: string): string | undefined {
  if (history === "") return revision;
  const entries = [...history.split(","), revision];
  while (entries.join(",").length > REVISION_HISTORY_CHARS_MAX) {
    entries.shift();
    if (entries.length === 0) return undefined;
  }
  return entries.join(",");
}
