import type { Random } from "#base/random.ts";
import type { AllocationMetrics, Amounts, Scope } from "./allocation-metrics.ts";
import { PortSet } from "./port-set.ts";

/** Ports at the low end are kept for those who ask for them by number, as upstream's static band (KEP-3668). */
const STATIC_PORTS_MIN = 16;
const STATIC_PORTS_MAX = 128;
const STATIC_PORTS_STEP = 32;
/** What upstream hands out for show when nothing is written. */
const DRY_RUN_PORT_FIRST = 32769;

const TAKEN_MESSAGE = "provided port is already allocated";

/** Why a port could not be had; the message is upstream's. */
export class PortAllocationError extends Error {
  override readonly name = "PortAllocationError";
}

/** Which node ports are taken. Numbers are handed out at random above the static band, and in it when nothing else is left. */
export class PortAllocator {
  readonly #low: number;
  readonly #high: number;
  readonly #dynamicLow: number;
  readonly #random: Random;
  readonly #taken: PortSet;

  /** `range` is inclusive, such as `30000-32767`. Those of `taken` that lie beyond it are let be; it is the allocator's to change. */
  constructor(range: string, random: Random, taken: PortSet = new PortSet()) {
    this.#taken = taken;
    const [low = "30000", high = "32767"] = range.split("-");
    this.#low = Number(low);
    this.#high = Number(high);
    this.#random = random;
    const size = this.#high - this.#low + 1;
    const reserved =
      size <= STATIC_PORTS_MIN ? 0 : Math.max(STATIC_PORTS_MIN, Math.min(STATIC_PORTS_MAX, Math.floor(size / STATIC_PORTS_STEP)));
    this.#dynamicLow = this.#low + reserved;
  }

  amounts(): Amounts {
    const allocated = this.#taken.count(this.#low, this.#high);
    return { allocated, available: this.#high - this.#low + 1 - allocated };
  }

  check(port: number): void {
    if (!this.#isInRange(port)) {
      throw new PortAllocationError(
        `provided port is not in the valid range. The range of valid ports is ${this.#low}-${this.#high}`,
      );
    }
    if (this.#taken.has(port)) throw new PortAllocationError(TAKEN_MESSAGE);
  }

  has(port: number): boolean {
    return this.#isInRange(port) && this.#taken.has(port);
  }

  allocate(port: number): void {
    this.check(port);
    this.#taken.add(port);
  }

  allocateNext(): number {
    const port = this.#pick(this.#dynamicLow, this.#high) ?? this.#pick(this.#low, this.#dynamicLow - 1);
    if (port === undefined) throw new PortAllocationError("range is full");
    this.#taken.add(port);
    return port;
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  #isInRange(port: number): boolean {
    return port >= this.#low && port <= this.#high;
  }

  #pick(low: number, high: number): number | undefined {
    const size = high - low + 1;
    if (size <= 0) return undefined;
    const start = this.#random.int(size);
    for (let i = 0; i < size; i++) {
      const port = low + ((start + i) % size);
      if (!this.#taken.has(port)) return port;
    }
    return undefined;
  }
}

/** A check takes nothing, a dry run neither and is less strict. */
export type PortMode = "allocate" | "check" | "dry-run";

/** The ports that one write takes and gives back. A dry run takes nothing and gets numbers beyond the range. */
export class PortOperation {
  readonly #allocator: PortAllocator;
  readonly #mode: PortMode;
  readonly #allocated: number[] = [];
  readonly #released: number[] = [];

  readonly #counts: Pick<AllocationMetrics, "port"> | undefined;

  /** `counts` is told of what is really taken. */
  constructor(allocator: PortAllocator, mode: PortMode, counts?: Pick<AllocationMetrics, "port">) {
    this.#counts = counts;
    this.#allocator = allocator;
    this.#mode = mode;
  }

  allocate(port: number): void {
    if (this.#mode === "allocate") this.#counted("static", () => this.#allocator.allocate(port));
    else {
      if (this.#allocated.includes(port) || this.#allocator.has(port)) throw new PortAllocationError(TAKEN_MESSAGE);
      // Upstream's dry runs do not look at the range.
      if (this.#mode === "check") this.#allocator.check(port);
    }
    this.#allocated.push(port);
  }

  allocateNext(): number {
    const port =
      this.#mode !== "allocate"
        ? Math.max(DRY_RUN_PORT_FIRST, ...this.#allocated.map((taken) => taken + 1))
        : this.#counted("dynamic", () => this.#allocator.allocateNext());
    this.#allocated.push(port);
    return port;
  }

  #counted<T>(scope: Scope, take: () => T): T {
    let failed = true;
    try {
      const taken = take();
      failed = false;
      return taken;
    } finally {
      this.#counts?.port(scope, failed);
    }
  }

  /** What was taken so far. */
  get allocated(): readonly number[] {
    return this.#allocated;
  }

  /** What is to be given back when the write has succeeded. */
  get released(): readonly number[] {
    return this.#released;
  }

  /** Gives the port back once the write has succeeded. */
  releaseDeferred(port: number): void {
    this.#released.push(port);
  }

  commit(): void {
    if (this.#mode === "allocate") for (const port of this.#released) this.#allocator.release(port);
  }

  rollback(): void {
    if (this.#mode === "allocate") for (const port of this.#allocated) this.#allocator.release(port);
  }
}
