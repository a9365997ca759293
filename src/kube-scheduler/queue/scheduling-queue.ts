import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { type ClusterEvent, type QueueingHint, unscheduledPodActions } from "../framework/cluster-event.ts";
import type { Framework } from "../framework/framework.ts";
import type { QueuedPodInfo } from "../framework/plugin.ts";
import { type PodInfo, podInfo } from "../framework/pod-info.ts";
import { Heap } from "./heap.ts";
import { UnschedulablePods } from "./unschedulable-pods.ts";

/** Wait before the second attempt; doubles with each further one. */
export const BACKOFF_INITIAL_MS = 1_000;
export const BACKOFF_MAX_MS = 10_000;
/** After this long a pod is tried again though nothing seems to have changed. */
export const UNSCHEDULABLE_PODS_MAX_MS = 300_000;
const FLUSH_PERIOD_MS = 30_000;

/** A pod that waits to be scheduled. */
export interface QueuedPod extends QueuedPodInfo {
  info: PodInfo;
  timestamp: number;
  attempts: number;
  /** Plugins that rejected it last; none after an error. */
  rejectors: ReadonlySet<string>;
  /** Kept out of the queue by a plugin before any attempt. */
  gated: boolean;
  /** It failed for an error, not for want of a node: it waits its backoff out in any case. */
  failed: boolean;
  backoffUntil: number;
}

/**
 * Pods that wait for a node, in three places: those to be tried now, in order; those whose backoff runs; and those
 * that no node took, until an event happens that one of the plugins that rejected them wants to hear of (KEP-4247).
 * As upstream, when nothing is to be tried now, a pod is taken out of its backoff early.
 */
export class SchedulingQueue {
  readonly #framework: Framework;
  readonly #clock: Clock;
  readonly #onReady: () => void;
  readonly #active: Heap<QueuedPod>;
  readonly #backoff: Heap<QueuedPod>;
  readonly #unschedulable = new UnschedulablePods();
  #timer: { timer: Timer; due: number } | undefined;
  readonly #flush: Timer;

  /** `onReady` is called when there may be something to pop. */
  constructor(options: { framework: Framework; clock: Clock; onReady: () => void }) {
    this.#framework = options.framework;
    this.#clock = options.clock;
    this.#onReady = options.onReady;
    const key = (queued: QueuedPod): string => queued.info.uid;
    this.#active = new Heap({ key, less: (a, b) => this.#framework.less(a, b) });
    this.#backoff = new Heap({
      key,
      less: (a, b) => a.backoffUntil < b.backoffUntil || (a.backoffUntil === b.backoffUntil && this.#framework.less(a, b)),
    });
    this.#flush = this.#clock.setInterval(() => this.#flushUnschedulable(), FLUSH_PERIOD_MS, { unref: true });
  }

  /** How many pods wait where; the names of upstream's `pending_pods` metric. */
  get pending(): { active: number; backoff: number; unschedulable: number; gated: number } {
    const { gated, size } = this.#unschedulable;
    return { active: this.#active.size, backoff: this.#backoff.size, unschedulable: size - gated, gated };
  }

  add(pod: Pod): void {
    const info = podInfo(pod);
    if (this.#find(info.uid) !== undefined) {
      this.update(pod, pod);
      return;
    }
    const now = this.#clock.elapsed();
    this.#enqueue({
      info,
      timestamp: now,
      attempts: 0,
      rejectors: new Set(),
      gated: false,
      failed: false,
      backoffUntil: 0,
    });
  }

  /** Takes the new state over; the change itself may make a pod that waits schedulable. */
  update(old: Pod, pod: Pod): void {
    const queued = this.#find(pod.metadata.uid ?? "");
    if (queued === undefined) {
      this.add(pod);
      return;
    }
    queued.info = podInfo(pod);
    if (this.#active.get(queued.info.uid) !== undefined) this.#active.set(queued);
    if (this.#unschedulable.get(queued.info.uid) === undefined) return;
    if (queued.gated) {
      this.#unschedulable.delete(queued.info.uid);
      this.#enqueue(queued);
      return;
    }
    for (const action of unscheduledPodActions(old, pod)) {
      const isWorth = this.#worthOf([...queued.rejectors], { resource: "UnscheduledPod", action, pod, old });
      if (!isWorth?.(queued.info)) continue;
      this.#requeue(queued);
      return;
    }
  }

  delete(uid: string): void {
    this.#active.delete(uid);
    this.#backoff.delete(uid);
    this.#unschedulable.delete(uid);
  }

  /** The next pod to try; it is no longer in the queue. */
  pop(): QueuedPod | undefined {
    let queued = this.#active.pop();
    if (queued === undefined) {
      const early = this.#backoff.peek();
      if (early === undefined || early.failed) return undefined;
      queued = this.#backoff.pop();
    }
    if (queued !== undefined) queued.attempts += 1;
    return queued;
  }

  /** A pod that no node takes: it waits for an event. */
  addUnschedulable(queued: QueuedPod, rejectors: ReadonlySet<string>): void {
    queued.rejectors = rejectors;
    queued.failed = false;
    this.#startBackoff(queued);
    this.#unschedulable.add(queued);
  }

  /** A pod whose attempt failed: it waits for its backoff. */
  addFailed(queued: QueuedPod): void {
    queued.rejectors = new Set();
    queued.failed = true;
    this.#startBackoff(queued);
    this.#requeue(queued);
  }

  /** Brings back the pods that the event may have made schedulable; with `priorityMax` only those that are not more important. */
  move(event: ClusterEvent, priorityMax: number = Number.POSITIVE_INFINITY): void {
    const own = event.resource === "AssignedPod" ? event.pod.metadata.uid : undefined;
    const moved = this.#unschedulable.select((rejectors) => {
      const isWorth = this.#worthOf(rejectors, event);
      return isWorth && (({ info }) => info.priority <= priorityMax && info.uid !== own && isWorth(info));
    });
    for (const queued of moved) this.#requeue(queued);
  }

  close(): void {
    this.#flush.clear();
    this.#timer?.timer.clear();
  }

  #find(uid: string): QueuedPod | undefined {
    return this.#active.get(uid) ?? this.#backoff.get(uid) ?? this.#unschedulable.get(uid);
  }

  #enqueue(queued: QueuedPod): void {
    const kept = this.#framework.runPreEnqueue(queued.info.pod);
    queued.gated = kept !== undefined;
    if (kept !== undefined) {
      queued.rejectors = new Set([kept.plugin]);
      this.#unschedulable.add(queued);
      return;
    }
    this.#active.set(queued);
    this.#onReady();
  }

  #requeue(queued: QueuedPod): void {
    this.#unschedulable.delete(queued.info.uid);
    if (queued.backoffUntil <= this.#clock.elapsed()) {
      this.#enqueue(queued);
      return;
    }
    this.#backoff.set(queued);
    this.#armTimer();
    if (!queued.failed) this.#onReady();
  }

  #startBackoff(queued: QueuedPod): void {
    queued.timestamp = this.#clock.elapsed();
    const delay = Math.min(BACKOFF_INITIAL_MS * 2 ** Math.max(0, queued.attempts - 1), BACKOFF_MAX_MS);
    queued.backoffUntil = queued.timestamp + delay;
  }

  /** What tells of a pod that these rejected whether the event is worth another attempt; undefined when it is of none. */
  #worthOf(rejectors: readonly string[], event: ClusterEvent): ((pod: PodInfo) => boolean) | undefined {
    const hints: QueueingHint[] = rejectors.length === 0 ? [() => "Queue"] : [];
    for (const rejector of rejectors) {
      for (const { resource, actions, queueingHint } of this.#framework.registrationsOf(rejector)) {
        if (resource === event.resource && actions.includes(event.action)) hints.push(queueingHint ?? (() => "Queue"));
      }
    }
    const [only] = hints;
    if (only === undefined) return undefined;
    if (hints.length === 1) return (pod) => only(pod, event) === "Queue";
    return (pod) => hints.some((hint) => hint(pod, event) === "Queue");
  }

  #armTimer(): void {
    const due = this.#backoff.peek()?.backoffUntil;
    if (due === undefined || (this.#timer !== undefined && this.#timer.due <= due)) return;
    this.#timer?.timer.clear();
    const timer = this.#clock.setTimeout(() => this.#endBackoff(), Math.max(0, due - this.#clock.elapsed()), { unref: true });
    this.#timer = { timer, due };
  }

  #endBackoff(): void {
    this.#timer = undefined;
    const now = this.#clock.elapsed();
    for (let first = this.#backoff.peek(); first !== undefined && first.backoffUntil <= now; first = this.#backoff.peek()) {
      this.#backoff.pop();
      this.#enqueue(first);
    }
    this.#armTimer();
  }

  #flushUnschedulable(): void {
    const before = this.#clock.elapsed() - UNSCHEDULABLE_PODS_MAX_MS;
    const isDue = ({ timestamp }: QueuedPod): boolean => timestamp < before;
    for (const queued of this.#unschedulable.select(() => isDue)) this.#requeue(queued);
  }
}
