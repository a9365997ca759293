import type { Pod } from "#api/generated/core/v1.ts";
import type { EventRegistration } from "./cluster-event.ts";
import type { CycleState } from "./cycle-state.ts";
import type { Diagnosis } from "./fit-error.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Status } from "./status.ts";

/** The highest score of a node, after normalizing. */
export const NODE_SCORE_MAX = 100;

/** What orders the queue. */
export interface QueuedPodInfo {
  readonly info: PodInfo;
  /** When the pod came into the queue, in milliseconds. */
  readonly timestamp: number;
}

export interface QueueSortPlugin {
  less(a: QueuedPodInfo, b: QueuedPodInfo): boolean;
}

/** Keeps a pod out of the queue until it changes. */
export interface PreEnqueuePlugin {
  preEnqueue(pod: Pod): Status;
}

export interface PreFilterResult {
  readonly status: Status;
  /** The only nodes worth looking at; all when absent. */
  readonly nodeNames?: ReadonlySet<string>;
}

/** Works out once per cycle what `filter` needs; may reject the pod, or narrow down the nodes. */
export interface PreFilterPlugin {
  preFilter(state: CycleState, pod: PodInfo): PreFilterResult;
}

/** Says whether the pod fits a node. Called for very many nodes: must be fast and must not allocate on success. */
export interface FilterPlugin {
  filter(state: CycleState, pod: PodInfo, node: NodeInfo): Status;
}

export interface PostFilterResult {
  readonly status: Status;
  /** The node that will have room once victims are gone; empty to take an earlier nomination back. */
  readonly nominatedNodeName?: string;
}

/** Tries to make room for a pod that fits nowhere. */
export interface PostFilterPlugin {
  postFilter(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): PostFilterResult;
}

export interface PreScorePlugin {
  preScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Status;
}

/** Rates a node that fits. */
export interface ScorePlugin {
  readonly weight: number;
  score(state: CycleState, pod: PodInfo, node: NodeInfo): number;
  /** Brings all nodes' scores, in place, into 0..{@link NODE_SCORE_MAX}. Not needed when `score` keeps to that. */
  normalizeScores?(scores: number[]): void;
}

/** Sets aside what the pod will need on its node, and gives it back when the pod does not get there. */
export interface ReservePlugin {
  reserve(state: CycleState, pod: PodInfo, nodeName: string): Status;
  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void;
}

/** Makes ready what has to be ready before the pod is bound; may take long. Ends when the signal is aborted. */
export interface PreBindPlugin {
  preBind(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Status>;
}

export interface BindPlugin {
  bind(pod: Pod, nodeName: string): Promise<Status>;
}

/** A plugin takes part at the extension points whose methods it has. */
export interface Plugin
  extends Partial<QueueSortPlugin>,
    Partial<PreEnqueuePlugin>,
    Partial<PreFilterPlugin>,
    Partial<FilterPlugin>,
    Partial<PostFilterPlugin>,
    Partial<PreScorePlugin>,
    Partial<ScorePlugin>,
    Partial<ReservePlugin>,
    Partial<PreBindPlugin>,
    Partial<BindPlugin> {
  /** Upstream's name. */
  readonly name: string;
  /** Which events may change the plugin's mind about a pod that it rejected. */
  readonly eventsToRegister?: readonly EventRegistration[];
}
