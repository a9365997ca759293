import type { PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { NextTurn } from "#base/turn.ts";
import { allocateSeats } from "./concurrency.ts";
import { QueueSet, type QueueSetConfig } from "./queue-set.ts";
import { RetryAfter } from "./retry-after.ts";
import { type Gate, TurnGate } from "./turn-gate.ts";

/** A request takes at most this part of its level's seats, as upstream's `priorityLevelMaxSeatsPercent`. */
const WIDEST_REQUEST = 0.15;
/** How slowly the wishes of the past are forgotten, as upstream's `seatDemandSmoothingCoefficient`. */
const SMOOTHING = 0.977;
const DEFAULT_SHARES = 30;

/** One priority level at work. */
export interface PriorityLevel {
  readonly name: string;
  uid: string;
  readonly queues: QueueSet;
  readonly retryAfter: RetryAfter;
  exempt: boolean;
  nominal: number;
  minimum: number;
  maximum: number;
  /** Widest request in seats. */
  maxSeats: number;
  /** Wanted seats, smoothed. */
  demand: number;
  /** Its object is gone: it stays until its requests are done. */
  quiescing: boolean;
}

/** What must be there even when the objects are not. */
const MANDATORY: readonly PriorityLevelConfiguration[] = [
  { metadata: { name: "exempt" }, spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  {
    metadata: { name: "catch-all" },
    spec: {
      type: "Limited",
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
    },
  },
];

/** The priority levels, and the seats of the server between them. */
export class PriorityLevels {
  readonly #clock: Clock;
  readonly #seats: number;
  readonly #gate: Gate;
  #queues: readonly QueueSet[] = [];
  readonly #levels = new Map<string, PriorityLevel>();

  constructor(clock: Clock, seats: number, nextTurn: NextTurn) {
    this.#clock = clock;
    this.#gate = new TurnGate(nextTurn, () => this.#queues);
    this.#seats = seats;
  }

  get(name: string): PriorityLevel | undefined {
    return this.#levels.get(name);
  }

  all(): IterableIterator<PriorityLevel> {
    return this.#levels.values();
  }

  /** Brings the levels in line with their objects; running and waiting requests stay where they are. */
  digest(configurations: readonly PriorityLevelConfiguration[]): void {
    const missing = MANDATORY.filter(({ metadata }) => !configurations.some((each) => each.metadata.name === metadata.name));
    const wanted = new Map([...configurations, ...missing].map((each) => [each.metadata.name ?? "", each]));
    for (const [name, level] of this.#levels) {
      if (wanted.has(name)) continue;
      level.quiescing = true;
      if (level.queues.idle) this.#levels.delete(name);
    }
    const shares = [...wanted.values()].reduce((sum, { spec }) => sum + sharesOf(spec), 0);
    for (const [name, configuration] of wanted) this.#digestOne(name, configuration, shares);
    this.#queues = [...this.#levels.values()].map(({ queues }) => queues);
  }

  /** Lends seats that a level does not want to those that do. To be called every now and then. */
  adjust(): void {
    const limited = [...this.#levels.values()].filter(({ exempt }) => !exempt);
    for (const level of limited) {
      const peak = level.queues.takePeakDemand();
      level.demand = Math.max(peak, SMOOTHING * level.demand + (1 - SMOOTHING) * peak);
    }
    const shares = allocateSeats(
      this.#seats,
      limited.map(({ minimum, maximum, demand, nominal }) => ({
        minimum,
        maximum,
        target: Math.max(demand, Math.min(nominal, 1)),
      })),
    );
    for (const [i, level] of limited.entries()) level.queues.limit = shares[i] ?? level.nominal;
  }

  #digestOne(name: string, { metadata, spec }: PriorityLevelConfiguration, shares: number): void {
    const exempt = spec?.type === "Exempt";
    const { lendablePercent = 0, borrowingLimitPercent } = { ...(spec?.limited ?? spec?.exempt) } as {
      lendablePercent?: number;
      borrowingLimitPercent?: number;
    };
    const nominal = shares === 0 ? 0 : Math.ceil((this.#seats * sharesOf(spec)) / shares);
    const lendable = Math.round((nominal * lendablePercent) / 100);
    const borrowing = borrowingLimitPercent === undefined ? this.#seats : Math.round((nominal * borrowingLimitPercent) / 100);
    const config = configOf(spec, exempt);
    const initial = nominal - Math.floor(lendable / 2);
    const level: PriorityLevel = this.#levels.get(name) ?? {
      name,
      uid: "",
      queues: new QueueSet(this.#clock, config, initial, this.#gate),
      retryAfter: new RetryAfter(),
      exempt,
      nominal,
      minimum: 0,
      maximum: 0,
      maxSeats: 1,
      demand: 0,
      quiescing: false,
    };
    const changed = level.nominal !== nominal || level.minimum !== nominal - lendable;
    level.uid = metadata.uid ?? "";
    level.quiescing = false;
    level.exempt = exempt;
    level.nominal = nominal;
    level.minimum = nominal - lendable;
    level.maximum = nominal + borrowing;
    level.maxSeats = Math.max(
      1,
      Math.min(Math.ceil(nominal * WIDEST_REQUEST), config.handSize > 0 ? Math.floor(nominal / config.handSize) : nominal),
    );
    level.queues.configure(config, changed ? initial : level.queues.limit);
    this.#levels.set(name, level);
  }
}

type Spec = PriorityLevelConfiguration["spec"];

function sharesOf(spec: Spec): number {
  return spec?.type === "Exempt"
    ? (spec.exempt?.nominalConcurrencyShares ?? 0)
    : (spec?.limited?.nominalConcurrencyShares ?? DEFAULT_SHARES);
}

function configOf(spec: Spec, exempt: boolean): QueueSetConfig {
  const queuing = spec?.limited?.limitResponse?.queuing;
  return {
    exempt,
    queues: queuing?.queues ?? 0,
    handSize: queuing?.handSize ?? 0,
    queueLengthLimit: queuing?.queueLengthLimit ?? 0,
  };
}
