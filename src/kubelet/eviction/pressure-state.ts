import { conditionOf, type Observations, type PressureCondition } from "./signals.ts";
import { metThresholds, type Threshold } from "./thresholds.ts";

/**
 * What a node has come to since when: the part of upstream's `synchronize` that decides without acting. Thresholds that were
 * met stay so until enough is free again; a condition goes some time after its cause.
 */
export class PressureState {
  readonly #thresholds: readonly Threshold[];
  readonly #transitionMs: number;
  #firstMetAt = new Map<Threshold, number>();
  #met: readonly Threshold[] = [];
  readonly #lastSeenAt = new Map<PressureCondition, number>();
  #conditions: readonly PressureCondition[] = [];

  /** `transitionMs` is how long a condition stays when its cause is gone. */
  constructor(thresholds: readonly Threshold[], transitionMs: number) {
    this.#thresholds = thresholds;
    this.#transitionMs = transitionMs;
  }

  /** What the node says of itself. */
  get conditions(): readonly PressureCondition[] {
    return this.#conditions;
  }

  /** Takes in what was seen at a time by `Clock.elapsed`; gives the thresholds on which is to be acted, memory first. */
  observe(observations: Observations, nowMs: number): readonly Threshold[] {
    const met = metThresholds(this.#thresholds, observations, false);
    const unresolved = metThresholds(this.#met, observations, true);
    const all = [...met, ...unresolved.filter((one) => !met.includes(one))];
    this.#firstMetAt = new Map(all.map((one) => [one, this.#firstMetAt.get(one) ?? nowMs]));
    for (const { signal } of all) this.#lastSeenAt.set(conditionOf(signal), nowMs);
    const isRecent = (atMs: number): boolean => nowMs - atMs < this.#transitionMs || atMs === nowMs;
    this.#conditions = [...this.#lastSeenAt].filter(([, atMs]) => isRecent(atMs)).map(([condition]) => condition);
    this.#met = all.filter((one) => nowMs - (this.#firstMetAt.get(one) ?? nowMs) >= one.graceMs);
    const isMemory = ({ signal }: Threshold): number => Number(conditionOf(signal) === "MemoryPressure");
    return [...this.#met].sort((a, b) => isMemory(b) - isMemory(a));
  }

  /** Whether enough is free, with what is to be freed beyond the thresholds. */
  isRelieved(observations: Observations): boolean {
    return metThresholds(this.#thresholds, observations, true).length === 0;
  }
}
