import type { Clock } from "#base/clock.ts";
import type { ContainerStatus } from "#cri/container.ts";

/** When a container started and ended, in milliseconds on the scale of `Clock.elapsed`; undefined for what has not happened. */
export interface ContainerTimes {
  readonly startedAtMs?: number | undefined;
  readonly finishedAtMs?: number | undefined;
}

const NONE: ReadonlyMap<string, ContainerTimes> = new Map();

/**
 * Puts the times of one pod's containers on a scale that nobody sets. The runtime tells them by the machine's clock: how long
 * ago they were is worked out once, when they are first seen, so that a clock that is set later changes nothing.
 */
export class ContainerTimeline {
  readonly #clock: Clock;
  #known: ReadonlyMap<string, ContainerTimes> = NONE;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The times of all that there are, by id; those of others are forgotten. */
  of(statuses: readonly ContainerStatus[]): ReadonlyMap<string, ContainerTimes> {
    if (!this.#knowsAll(statuses)) this.#known = new Map(statuses.map((status) => [status.id, this.#timesOf(status)]));
    return this.#known;
  }

  /** Whether they are those that are known, and nothing has happened to them since. */
  #knowsAll(statuses: readonly ContainerStatus[]): boolean {
    if (statuses.length !== this.#known.size) return false;
    return statuses.every(({ id, startedAtMs, finishedAtMs }) => {
      const known = this.#known.get(id);
      if (known === undefined || (startedAtMs === undefined) !== (known.startedAtMs === undefined)) return false;
      return (finishedAtMs === undefined) === (known.finishedAtMs === undefined);
    });
  }

  #timesOf({ id, startedAtMs, finishedAtMs }: ContainerStatus): ContainerTimes {
    const known = this.#known.get(id);
    return {
      startedAtMs: startedAtMs === undefined ? undefined : (known?.startedAtMs ?? this.#steady(startedAtMs)),
      finishedAtMs: finishedAtMs === undefined ? undefined : (known?.finishedAtMs ?? this.#steady(finishedAtMs)),
    };
  }

  /** What seems to be still to come has just been. */
  #steady(atMs: number): number {
    return this.#clock.elapsed() - Math.max(0, this.#clock.now() - atMs);
  }
}
