import type { Pod } from "#api/generated/core/v1.ts";
import type { EventRegistration } from "./cluster-event.ts";
import type { CycleState } from "./cycle-state.ts";
import type { Diagnosis } from "./fit-error.ts";
import type { NodeInfo } from "./node-info.ts";
import type {
  BindPlugin,
  FilterPlugin,
  Plugin,
  PostFilterPlugin,
  PostFilterResult,
  PreBindPlugin,
  PreEnqueuePlugin,
  PreFilterPlugin,
  PreScorePlugin,
  QueuedPodInfo,
  QueueSortPlugin,
  ReservePlugin,
  ScorePlugin,
} from "./plugin.ts";
import type { PodInfo } from "./pod-info.ts";
import { errorStatus, isRejected, messageOf, type Status, SUCCESS, unresolvable, unschedulable } from "./status.ts";

/** A verdict and the plugin that gave it. */
export interface PluginVerdict {
  readonly status: Status;
  readonly plugin: string;
}

/** What all `preFilter`s came to. */
export interface PreFilterOutcome {
  readonly status: Status;
  /** Plugins that rejected the pod or left nodes out. */
  readonly plugins: readonly string[];
  readonly nodeNames?: ReadonlySet<string>;
}

/** Runs the plugins of a profile, in its order, at each extension point. */
export class Framework {
  readonly #preEnqueue: readonly (Plugin & PreEnqueuePlugin)[];
  readonly #queueSort: QueueSortPlugin;
  readonly #preFilter: readonly (Plugin & PreFilterPlugin)[];
  readonly #filter: readonly (Plugin & FilterPlugin)[];
  /** Those that look at nodes in the cycle that was last looked at. */
  #taking: { readonly state: CycleState; readonly filters: readonly (Plugin & FilterPlugin)[] } | undefined;
  readonly #postFilter: readonly (Plugin & PostFilterPlugin)[];
  readonly #preScore: readonly (Plugin & PreScorePlugin)[];
  readonly #score: readonly (Plugin & ScorePlugin)[];
  readonly #reserve: readonly (Plugin & ReservePlugin)[];
  readonly #preBind: readonly (Plugin & PreBindPlugin)[];
  readonly #bind: readonly (Plugin & BindPlugin)[];
  readonly #registrations: ReadonlyMap<string, readonly EventRegistration[]>;
  /** Of the nodes that were scored last, whose number is mostly the same each time. */
  #totals = new Float64Array();
  #scores: number[] = [];

  constructor(plugins: readonly Plugin[]) {
    this.#preEnqueue = having(plugins, "preEnqueue");
    const [queueSort] = having(plugins, "less");
    this.#queueSort = queueSort ?? { less: (a, b) => a.timestamp < b.timestamp };
    this.#preFilter = having(plugins, "preFilter");
    this.#filter = having(plugins, "filter");
    this.#postFilter = having(plugins, "postFilter");
    this.#preScore = having(plugins, "preScore");
    this.#score = plugins.filter(
      (plugin): plugin is Plugin & ScorePlugin => plugin.score !== undefined && plugin.weight !== undefined,
    );
    this.#reserve = plugins.filter(
      (plugin): plugin is Plugin & ReservePlugin => plugin.reserve !== undefined && plugin.unreserve !== undefined,
    );
    this.#preBind = having(plugins, "preBind");
    this.#bind = having(plugins, "bind");
    this.#registrations = new Map(plugins.map((plugin) => [plugin.name, plugin.eventsToRegister ?? []]));
  }

  /** Which events may make a pod schedulable that the plugin rejected. */
  registrationsOf(plugin: string): readonly EventRegistration[] {
    return this.#registrations.get(plugin) ?? [];
  }

  less(a: QueuedPodInfo, b: QueuedPodInfo): boolean {
    return this.#queueSort.less(a, b);
  }

  /** The first plugin that keeps the pod out of the queue. */
  runPreEnqueue(pod: Pod): PluginVerdict | undefined {
    for (const plugin of this.#preEnqueue) {
      const status = plugin.preEnqueue(pod);
      if (status.code !== "Success") return { status, plugin: plugin.name };
    }
    return undefined;
  }

  runPreFilter(state: CycleState, pod: PodInfo): PreFilterOutcome {
    let nodeNames: ReadonlySet<string> | undefined;
    const narrowing: string[] = [];
    for (const plugin of this.#preFilter) {
      const result = plugin.preFilter(state, pod);
      if (result.status.code === "Skip") {
        state.skipFilter.add(plugin.name);
        continue;
      }
      if (result.status.code !== "Success") return { status: result.status, plugins: [plugin.name] };
      const names = result.nodeNames;
      if (names === undefined) continue;
      narrowing.push(plugin.name);
      const before: ReadonlySet<string> = nodeNames ?? names;
      nodeNames = new Set([...before].filter((name) => names.has(name)));
      if (nodeNames.size > 0) continue;
      const only = narrowing.length === 1;
      const reason = only ? `plugin ${narrowing[0]}` : `plugin(s) [${narrowing.sort().join(" ")}] simultaneously`;
      return { status: unresolvable(`node(s) didn't satisfy ${reason}`), plugins: narrowing };
    }
    return { status: SUCCESS, plugins: narrowing.sort(), ...(nodeNames === undefined ? {} : { nodeNames }) };
  }

  /** The first plugin that says no; undefined when the pod fits. */
  runFilter(state: CycleState, pod: PodInfo, node: NodeInfo): PluginVerdict | undefined {
    for (const plugin of this.#filtersIn(state)) {
      const status = plugin.filter(state, pod, node);
      if (status.code !== "Success") return { status, plugin: plugin.name };
    }
    return undefined;
  }

  /** Who takes part in a cycle: found out once, for it is asked for very many nodes. */
  #filtersIn(state: CycleState): readonly (Plugin & FilterPlugin)[] {
    // What it is found out with is a function of its own: a closure here would be room for its variables at each call.
    if (this.#taking?.state !== state) this.#taking = { state, filters: this.#filtersNotSkipped(state) };
    return this.#taking.filters;
  }

  #filtersNotSkipped({ skipFilter }: CycleState): readonly (Plugin & FilterPlugin)[] {
    return this.#filter.filter(({ name }) => !skipFilter.has(name));
  }

  /** Until one makes room; the reasons of the others are told together. */
  runPostFilter(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): PostFilterResult {
    const reasons: string[] = [];
    let nominated: { nominatedNodeName: string } | undefined;
    for (const plugin of this.#postFilter) {
      const result = plugin.postFilter(state, pod, diagnosis);
      if (!isRejected(result.status)) return result;
      if (result.status.code === "UnschedulableAndUnresolvable") return result;
      if (result.nominatedNodeName !== undefined) nominated = { nominatedNodeName: result.nominatedNodeName };
      reasons.push(...result.status.reasons);
    }
    return { status: unschedulable(...reasons), ...nominated };
  }

  /** The weighted sum of all plugins' scores for each node. Holds until the next call. */
  runScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Float64Array {
    for (const plugin of this.#preScore) {
      if (plugin.preScore(state, pod, nodes).code === "Skip") state.skipScore.add(plugin.name);
    }
    const { totals, scores } = this.#roomFor(nodes.length);
    for (const plugin of this.#score) {
      if (state.skipScore.has(plugin.name)) continue;
      for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, pod, nodes[i] as NodeInfo);
      plugin.normalizeScores?.(scores);
      for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] ?? 0) + plugin.weight * (scores[i] ?? 0);
    }
    return totals;
  }

  #roomFor(count: number): { readonly totals: Float64Array; readonly scores: number[] } {
    if (this.#totals.length === count) this.#totals.fill(0);
    else {
      this.#totals = new Float64Array(count);
      this.#scores = new Array<number>(count).fill(0);
    }
    return { totals: this.#totals, scores: this.#scores };
  }

  /** All or nothing. */
  runReserve(state: CycleState, pod: PodInfo, nodeName: string): Status {
    for (const plugin of this.#reserve) {
      const status = plugin.reserve(state, pod, nodeName);
      if (status.code === "Success") continue;
      this.runUnreserve(state, pod, nodeName);
      return status;
    }
    return SUCCESS;
  }

  runUnreserve(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of [...this.#reserve].reverse()) plugin.unreserve(state, pod, nodeName);
  }

  async runPreBind(state: CycleState, pod: PodInfo, nodeName: string, signal: AbortSignal): Promise<Status> {
    for (const plugin of this.#preBind) {
      const status = await plugin.preBind(state, pod, nodeName, signal);
      if (status.code === "Success" || status.code === "Skip") continue;
      return status.code === "Error" ? errorStatus(`running PreBind plugin "${plugin.name}": ${messageOf(status)}`) : status;
    }
    return SUCCESS;
  }

  async runBind(pod: Pod, nodeName: string): Promise<Status> {
    for (const plugin of this.#bind) {
      const status = await plugin.bind(pod, nodeName);
      if (status.code === "Skip") continue;
      if (status.code !== "Error") return status;
      return errorStatus(`running Bind plugin "${plugin.name}": ${messageOf(status)}`);
    }
    return errorStatus("no plugin binds this pod");
  }
}

function having<M extends keyof Plugin>(plugins: readonly Plugin[], method: M): (Plugin & Required<Pick<Plugin, M>>)[];
function having(plugins: readonly Plugin[], method: keyof Plugin): Plugin[] {
  return plugins.filter((plugin) => plugin[method] !== undefined);
}
