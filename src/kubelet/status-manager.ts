import type { Pod, PodCondition, PodStatus } from "#api/generated/core/v1.ts";
import { isConflict, isInvalid, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
/** Writes under way at once, for all nodes together. */
const CONCURRENT_WRITES_MAX = 32;
/** While so many are under way, what is told waits for the event loop's next turn: a pod that starts at once tells its newest state alone. */
const PROMPT_WRITES_MAX = 4;
const RETRY_MS = 1000;
/** In a list of a strategic merge patch: the others are the whole list. */
const REPLACE = { $patch: "replace" };
/** Conditions that kubelets take back; others stay, whoever told them. */
const TAKEN_BACK: readonly string[] = ["PodResizePending", "PodResizeInProgress"];

interface PendingWrite {
  readonly pod: Pod;
  /** Undefined when only the deletion is left to do. */
  status: PodStatus | undefined;
  /** The pod has ended: it is deleted for good after this. */
  final: boolean;
  /** When the status changed that the API does not have yet, by `Clock.elapsed`. */
  readonly sinceMs: number;
  readonly onWritten: ((written: Pod) => void) | undefined;
}

/** Writes the statuses of all nodes' pods: the newest of each pod, few at a time, until it is written or the pod is gone. */
export class StatusManager implements PodStatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #pending = new Map<string, PendingWrite>();
  readonly #writing = new Set<string>();
  /** Writes that failed and wait to be tried again. */
  readonly #failed = new Map<string, PendingWrite>();
  /** The event loop's next turn is awaited. */
  #gathering = false;

  readonly #logger: Logger | undefined;

  readonly #onSynced: ((seconds: number) => void) | undefined;

  /** `onSynced` is told how long the API did not have a status that it has now. */
  constructor(options: {
    client: Client;
    clock: Clock;
    signal: AbortSignal;
    logger?: Logger;
    onSynced?: (seconds: number) => void;
  }) {
    this.#onSynced = options.onSynced;
    this.#logger = options.logger;
    this.#client = options.client;
    this.#clock = options.clock;
    this.#signal = options.signal;
  }

  /** Tells a status; with `final` the pod is removed once it is written. */
  write(pod: Pod, status: PodStatus, final: boolean, onWritten?: (written: Pod) => void): void {
    const uid = pod.metadata.uid ?? "";
    const older = this.#pending.get(uid) ?? this.#failed.get(uid);
    this.#failed.delete(uid);
    const sinceMs = older?.sinceMs ?? this.#clock.elapsed();
    this.#pending.set(uid, { pod, status, final: final || older?.final === true, sinceMs, onWritten });
    this.#pumpSoon();
  }

  /** At once where little is to do, else behind what happens just now: upstream's one writer of a node is as late when it has much to do. */
  #pumpSoon(): void {
    if (this.#gathering) return;
    if (this.#writing.size < PROMPT_WRITES_MAX) {
      this.#pump();
      return;
    }
    if (this.#pending.size === 0) return;
    this.#gathering = true;
    this.#clock.setTimeout(() => {
      this.#gathering = false;
      this.#pump();
    }, 0);
  }

  #pump(): void {
    for (const [uid, write] of this.#pending) {
      if (this.#writing.size >= CONCURRENT_WRITES_MAX || this.#signal.aborted) return;
      if (this.#writing.has(uid)) continue;
      this.#pending.delete(uid);
      this.#writing.add(uid);
      void this.#perform(uid, write);
    }
  }

  async #perform(uid: string, write: PendingWrite): Promise<void> {
    try {
      await this.#send(uid, write);
    } catch (error) {
      noteDefect("the status of a pod", error);
      // The pod is gone, or another one has its name: nothing is left to tell.
      if (isInvalid(error)) this.#tellRefused(write, error);
      else if (!isNotFound(error) && !isConflict(error)) this.#retryLater(uid, write);
    } finally {
      this.#writing.delete(uid);
      this.#pumpSoon();
    }
  }

  async #send(uid: string, write: PendingWrite): Promise<void> {
    const { namespace = "", name = "" } = write.pod.metadata;
    if (write.status !== undefined) {
      const patch = { metadata: { uid }, status: patchOf(write.status, write.pod) };
      const options = { subresource: "status", fieldManager: "kubelet" };
      const type = "application/strategic-merge-patch+json";
      const written = await this.#client.patch<Pod>(PODS, namespace, name, type, patch, options);
      write.status = undefined;
      write.onWritten?.(written);
      this.#onSynced?.((this.#clock.elapsed() - write.sinceMs) / 1000);
    }
    if (write.final) await this.#client.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  #tellRefused({ pod }: PendingWrite, error: unknown): void {
    const { name = "", namespace = "" } = pod.metadata;
    this.#logger?.warn({ pod: `${namespace}/${name}`, err: String(error) }, "the API server refuses a pod's status");
  }

  #retryLater(uid: string, write: PendingWrite): void {
    const newer = this.#pending.get(uid);
    if (newer !== undefined) {
      newer.final ||= write.final;
      return;
    }
    this.#failed.set(uid, write);
    const retry = (): void => {
      // A newer state has taken its place meanwhile.
      if (this.#signal.aborted || this.#failed.get(uid) !== write) return;
      this.#failed.delete(uid);
      this.#pending.set(uid, write);
      this.#pump();
    };
    this.#clock.setTimeout(retry, RETRY_MS, { unref: true });
  }
}

// Conditions are merged one by one: what a condition no longer says has to be taken out of it. So are addresses, of which
// those of a sandbox before this one must not stay.
function patchOf(status: PodStatus, pod: Pod): object {
  const patch: { -readonly [Field in keyof PodStatus]?: unknown } = { ...status };
  const { conditions, podIPs, hostIPs } = status;
  if (conditions !== undefined) {
    const gone = staleConditions(pod, conditions).map((type) => ({ $patch: "delete", type }));
    patch.conditions = [...conditions.map(wholeCondition), ...gone];
  }
  if (podIPs !== undefined) patch.podIPs = [REPLACE, ...podIPs];
  if (hostIPs !== undefined) patch.hostIPs = [REPLACE, ...hostIPs];
  return patch;
}

/** Member by member: V8 takes several times as long for a spread with members behind it. */
function wholeCondition(condition: PodCondition): object {
  const whole: { -readonly [Field in keyof PodCondition]?: unknown } = {};
  let field: keyof PodCondition;
  for (field in condition) whole[field] = condition[field];
  whole.reason ??= null;
  whole.message ??= null;
  return whole;
}

/** The types of a pod's conditions that a kubelet has told and does not tell any more. */
export function staleConditions({ status }: Pod, told: readonly PodCondition[]): readonly string[] {
  const there = status?.conditions?.map(({ type }) => type as string) ?? [];
  return there.filter((type) => TAKEN_BACK.includes(type) && !told.some((condition) => condition.type === type));
}
