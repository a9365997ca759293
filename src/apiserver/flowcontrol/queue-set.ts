import type { Clock, Timer } from "#base/clock.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";
import { dealHand, hashFlow } from "./shuffle-sharding.ts";
import { type Gate, OPEN_GATE } from "./turn-gate.ts";

/** What a request is taken to cost before it is done, in milliseconds, as upstream's `estimatedServiceDuration`. */
const ESTIMATED_SERVICE_MS = 3;
/** Flows whose queues are remembered. */
const HANDS_MAX = 4096;

/** How one priority level treats requests. */
export interface QueueSetConfig {
  /** No limit at all. */
  readonly exempt: boolean;
  /** 0 refuses what cannot begin at once. */
  readonly queues: number;
  readonly handSize: number;
  /** Of each queue, in requests. */
  readonly queueLengthLimit: number;
}

/** A request as the queues see it. */
export interface Arrival {
  readonly schema: string;
  readonly distinguisher: string;
  readonly user: UserInfo;
  readonly info: RequestInfo;
  /** Seats that it takes while it runs. */
  readonly seats: number;
}

/** Why a request may not run. */
export type Refusal = "concurrency-limit" | "queue-full" | "time-out" | "cancelled";

/** A request that waits or runs. */
export interface Occupant {
  readonly arrival: Arrival;
  readonly arrivedAt: number;
  /** Undefined while it waits. */
  startedAt: number | undefined;
}

/** The right to run. */
export class Ticket implements Occupant {
  readonly arrival: Arrival;
  readonly arrivedAt: number;
  startedAt: number | undefined;
  readonly queue: Queue | undefined;
  readonly #set: QueueSet;
  #done = false;

  constructor(set: QueueSet, arrival: Arrival, arrivedAt: number, queue: Queue | undefined) {
    this.#set = set;
    this.arrival = arrival;
    this.arrivedAt = arrivedAt;
    this.queue = queue;
  }

  /** The request is answered. Can be called again. */
  release(): void {
    if (this.#done) return;
    this.#done = true;
    this.#set.finish(this);
  }
}

interface Waiting {
  readonly ticket: Ticket;
  readonly settle: (result: Ticket | Refusal) => void;
  readonly timer: Timer;
}

interface Queue {
  readonly index: number;
  readonly waiting: Waiting[];
  /** When its next request is due, in the virtual time of the set. */
  next: number;
  executing: number;
  seats: number;
}

/** What happened since the start. */
interface Tally {
  dispatched: number;
  rejected: number;
  timedOut: number;
  cancelled: number;
}

/**
 * The seats of one priority level, shared fairly between flows: each flow has a hand of queues, and the queue that has had
 * least gets the next seat (start-time fair queuing: the virtual time is the start tag of what was dispatched last, a queue's
 * tag moves on by seats times duration; KEP-1040 with the same effect keeps one virtual clock per set).
 */
export class QueueSet {
  readonly tally: Tally = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0 };
  readonly executing: Set<Ticket> = new Set();
  /** Requests that were let run, by flow schema. */
  readonly dispatched: Map<string, number> = new Map();
  /** Requests that were not, by flow schema and reason with a NUL between. */
  readonly refused: Map<string, number> = new Map();
  readonly #clock: Clock;
  readonly #gate: Gate;
  #config: QueueSetConfig;
  #limit: number;
  readonly #queues: Queue[] = [];
  readonly #waitingQueues = new Set<Queue>();
  readonly #hands = new Map<string, readonly number[]>();
  #virtualTime = 0;
  #seatsInUse = 0;
  #waiting = 0;
  #seatsWaiting = 0;
  #peakDemand = 0;

  constructor(clock: Clock, config: QueueSetConfig, limit: number, gate: Gate = OPEN_GATE) {
    this.#clock = clock;
    this.#gate = gate;
    this.#config = config;
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  get idle(): boolean {
    return this.#waiting === 0 && this.executing.size === 0;
  }

  /** Requests that wait, by queue. */
  get queues(): readonly {
    readonly waiting: readonly Occupant[];
    readonly executing: number;
    readonly seats: number;
    readonly next: number;
  }[] {
    return this.#queues.map((queue) => ({ ...queue, waiting: queue.waiting.map(({ ticket }) => ticket) }));
  }

  /** The most seats that were wanted at once since this was last asked. */
  takePeakDemand(): number {
    const peak = this.#peakDemand;
    this.#peakDemand = this.#seatsInUse + this.#seatsWaiting;
    return peak;
  }

  configure(config: QueueSetConfig, limit: number): void {
    if (config.queues !== this.#config.queues || config.handSize !== this.#config.handSize) this.#hands.clear();
    this.#config = config;
    this.limit = limit;
  }

  /** Seats that may be in use at once. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#dispatch();
  }

  /**
   * Lets a request run now, later, or not: a promise only where it has to wait, at most `waitMs`. `onCancel` is told what to
   * call when the client goes away.
   */
  start(arrival: Arrival, waitMs: number, onCancel: (cancel: () => void) => void): Ticket | Refusal | Promise<Ticket | Refusal> {
    const now = this.#clock.now();
    const { exempt, queues, queueLengthLimit } = this.#config;
    if (exempt) return this.#run(new Ticket(this, arrival, now, undefined), OPEN_GATE);
    const fits = this.#fits(arrival.seats);
    if (queues === 0) {
      if (fits) return this.#run(new Ticket(this, arrival, now, undefined));
      return this.#refuse(arrival, "concurrency-limit");
    }
    const queue = this.#queueFor(arrival);
    if (fits && this.#waiting === 0 && this.#gate.open) return this.#run(new Ticket(this, arrival, now, queue));
    // Those that a seat is free for wait for the event loop only.
    const free = Math.max(0, this.#limit - this.#seatsInUse);
    if (queue.waiting.length >= queueLengthLimit + free) return this.#refuse(arrival, "queue-full");
    return this.#wait(new Ticket(this, arrival, now, queue), queue, waitMs, onCancel);
  }

  /** A request is done: its seats go to who waits. */
  finish(ticket: Ticket): void {
    this.executing.delete(ticket);
    const { seats } = ticket.arrival;
    this.#seatsInUse -= seats;
    const { queue } = ticket;
    if (queue !== undefined) {
      queue.executing--;
      queue.seats -= seats;
      const took = this.#clock.now() - (ticket.startedAt ?? 0);
      queue.next += seats * (took - ESTIMATED_SERVICE_MS);
    }
    if (this.#waiting > 0) this.#dispatch();
  }

  /** A request that is wider than all seats together runs alone. */
  #fits(seats: number): boolean {
    return this.#seatsInUse === 0 || this.#seatsInUse + seats <= this.#limit;
  }

  #refuse({ schema }: Arrival, reason: Refusal): Refusal {
    if (reason === "time-out") this.tally.timedOut++;
    else if (reason === "cancelled") this.tally.cancelled++;
    else this.tally.rejected++;
    const key = `${schema}\0${reason}`;
    this.refused.set(key, (this.refused.get(key) ?? 0) + 1);
    return reason;
  }

  #run(ticket: Ticket, gate = this.#gate): Ticket {
    const { seats, schema } = ticket.arrival;
    ticket.startedAt = ticket.arrivedAt;
    this.tally.dispatched++;
    this.dispatched.set(schema, (this.dispatched.get(schema) ?? 0) + 1);
    this.executing.add(ticket);
    this.#seatsInUse += seats;
    gate.take(seats);
    const demand = this.#seatsInUse + this.#seatsWaiting;
    if (demand > this.#peakDemand) this.#peakDemand = demand;
    const { queue } = ticket;
    if (queue !== undefined) {
      const start = Math.max(queue.next, this.#virtualTime);
      this.#virtualTime = start;
      queue.next = start + seats * ESTIMATED_SERVICE_MS;
      queue.executing++;
      queue.seats += seats;
    }
    return ticket;
  }

  #wait(ticket: Ticket, queue: Queue, waitMs: number, onCancel: (cancel: () => void) => void): Promise<Ticket | Refusal> {
    return new Promise((settle) => {
      const leave = (reason: "time-out" | "cancelled"): void => {
        const at = queue.waiting.findIndex((each) => each.ticket === ticket);
        if (at < 0) return;
        queue.waiting.splice(at, 1);
        this.#left(queue, ticket);
        waiting.timer.clear();
        settle(this.#refuse(ticket.arrival, reason));
      };
      const timer = this.#clock.setTimeout(() => leave("time-out"), waitMs, { unref: true });
      const waiting: Waiting = { ticket, settle, timer };
      if (queue.waiting.length === 0) queue.next = Math.max(queue.next, this.#virtualTime);
      queue.waiting.push(waiting);
      this.#waitingQueues.add(queue);
      this.#waiting++;
      this.#seatsWaiting += ticket.arrival.seats;
      this.#peakDemand = Math.max(this.#peakDemand, this.#seatsInUse + this.#seatsWaiting);
      onCancel(() => leave("cancelled"));
    });
  }

  #left(queue: Queue, ticket: Ticket): void {
    this.#waiting--;
    this.#seatsWaiting -= ticket.arrival.seats;
    if (queue.waiting.length === 0) this.#waitingQueues.delete(queue);
  }

  #dispatch(): void {
    while (this.#waiting > 0 && this.dispatchOne());
  }

  /** Lets the first request of the queue begin that has had least; false when it may not. */
  dispatchOne(): boolean {
    let first: Queue | undefined;
    for (const queue of this.#waitingQueues) if (first === undefined || queue.next < first.next) first = queue;
    const waiting = first?.waiting[0];
    if (first === undefined || waiting === undefined || !this.#gate.open) return false;
    if (!this.#fits(waiting.ticket.arrival.seats)) return false;
    first.waiting.shift();
    this.#left(first, waiting.ticket);
    // Those of equal rights take turns.
    if (this.#waitingQueues.delete(first)) this.#waitingQueues.add(first);
    waiting.timer.clear();
    this.#run(waiting.ticket);
    waiting.ticket.startedAt = this.#clock.now();
    waiting.settle(waiting.ticket);
    return true;
  }

  /** The shortest queue of the flow's hand. */
  #queueFor({ schema, distinguisher }: Arrival): Queue {
    let best: Queue | undefined;
    for (const index of this.#handOf(schema, distinguisher)) {
      const queue = this.#queue(index);
      if (best === undefined || queue.waiting.length + queue.seats < best.waiting.length + best.seats) best = queue;
    }
    return best ?? this.#queue(0);
  }

  #handOf(schema: string, distinguisher: string): readonly number[] {
    const flow = `${schema}\0${distinguisher}`;
    let hand = this.#hands.get(flow);
    if (hand === undefined) {
      const { queues, handSize } = this.#config;
      hand = queues === 1 ? [0] : dealHand(hashFlow(schema, distinguisher), queues, handSize);
      if (this.#hands.size >= HANDS_MAX) this.#hands.clear();
      this.#hands.set(flow, hand);
    }
    return hand;
  }

  #queue(index: number): Queue {
    while (this.#queues.length <= index) {
      this.#queues.push({ index: this.#queues.length, waiting: [], next: 0, executing: 0, seats: 0 });
    }
    return this.#queues[index] as Queue;
  }
}
