import type { Pod } from "#api/generated/core/v1.ts";
import type { Tally } from "#client/object-cache.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { isPodActive, isPodTerminal, podCondition, readyAvailableInMs } from "#component-helpers/pod/pod-conditions.ts";
import type { OwnerKind } from "../../framework/ownership.ts";

/** Pods with the same labels, counted. */
export interface PodGroup {
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** Those that count as replicas. */
  readonly active: number;
  /** Of the active ones. */
  readonly ready: number;
  /** How many of the ready ones are so since which time, as the condition tells it; left out of a census that was asked without. */
  readonly readySince: ReadonlyMap<string | undefined, number>;
  /** Those that are being deleted and whose containers may still run. */
  readonly terminating: number;
}

type Counts = { -readonly [name in "active" | "ready" | "terminating"]: PodGroup[name] };

interface OpenGroup extends Counts {
  readonly labels: PodGroup["labels"];
  readonly readySince: Map<string | undefined, number>;
}

type Groups = Map<string, OpenGroup>;

/**
 * Counts the pods of each owner of a kind while they come and go. An owner of thousands is looked at whenever one of them changes:
 * counting all of them each time would cost more for each pod the more there are.
 */
export class PodCensus implements Tally<Pod> {
  readonly #kind: string;
  readonly #owners = new Map<string, Groups>();

  constructor({ kind }: Pick<OwnerKind, "kind">) {
    this.#kind = kind;
  }

  add(pod: Pod): void {
    const uid = this.#ownerOf(pod);
    if (uid === undefined) return;
    const groups: Groups = this.#owners.get(uid) ?? new Map();
    this.#owners.set(uid, groups);
    count(groups, pod, 1);
    if (groups.size === 0) this.#owners.delete(uid);
  }

  remove(pod: Pod): void {
    const uid = this.#ownerOf(pod);
    const groups = uid === undefined ? undefined : this.#owners.get(uid);
    if (uid === undefined || groups === undefined) return;
    count(groups, pod, -1);
    if (groups.size === 0) this.#owners.delete(uid);
  }

  /** The pods of an owner as they are now. `withTimes` copies since when they are ready, too. */
  of(uid: string, withTimes: boolean): readonly PodGroup[] {
    const groups = [...(this.#owners.get(uid)?.values() ?? [])];
    return groups.map((group) => ({ ...group, readySince: withTimes ? new Map(group.readySince) : NO_TIMES }));
  }

  #ownerOf(pod: Pod): string | undefined {
    const owner = controllerOf(pod);
    return owner?.kind === this.#kind ? owner.uid : undefined;
  }
}

const NO_TIMES: ReadonlyMap<string | undefined, number> = new Map();

/** The same of some pods, whosoever they are. */
export function groupPods(pods: readonly Pod[]): readonly PodGroup[] {
  const groups: Groups = new Map();
  for (const pod of pods) count(groups, pod, 1);
  return [...groups.values()];
}

/** How many of the ready pods are available. The times are needed unless `minReadySeconds` is 0. */
export function availableOf({ ready, readySince }: PodGroup, minReadySeconds: number, nowMs: number): number {
  if (minReadySeconds === 0) return ready;
  let available = 0;
  for (const [since, count] of readySince) if (readyAvailableInMs(since, minReadySeconds, nowMs) === 0) available += count;
  return available;
}

/** Takes a pod in or out. Groups of no pods that matter go. */
function count(groups: Groups, pod: Pod, one: 1 | -1): void {
  const active = isPodActive(pod);
  // Its containers have ended: it is neither a replica nor will it stop being one.
  if (!active && isPodTerminal(pod)) return;
  const { labels } = pod.metadata;
  const key = JSON.stringify(labels ?? {});
  let group = groups.get(key);
  if (group === undefined) {
    group = { labels, active: 0, ready: 0, readySince: new Map(), terminating: 0 };
    groups.set(key, group);
  }
  if (active) {
    group.active += one;
    const condition = podCondition(pod, "Ready");
    if (condition?.status === "True") {
      group.ready += one;
      const since = (group.readySince.get(condition.lastTransitionTime) ?? 0) + one;
      if (since === 0) group.readySince.delete(condition.lastTransitionTime);
      else group.readySince.set(condition.lastTransitionTime, since);
    }
  } else group.terminating += one;
  if (group.active === 0 && group.terminating === 0) groups.delete(key);
}
