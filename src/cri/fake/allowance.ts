/** How much may be taken at once. */
export interface Limits {
  /** Of files, logs and whatever else is held, in bytes. */
  readonly bytes: number;
  /** Commands that run beside a container's own. */
  readonly processes: number;
}

const MIB: number = 1024 * 1024;
/** What one simulated container, all of a node, and all of a process of Kybern may take at once. */
export const CONTAINER_LIMITS: Limits = { bytes: 64 * MIB, processes: 64 };
export const NODE_LIMITS: Limits = { bytes: 256 * MIB, processes: 1024 };
export const ALL_LIMITS: Limits = { bytes: 1024 * MIB, processes: 4096 };

/** Counts what simulated containers hold, so that nobody who can run commands in them fills the process that simulates them. */
export class Allowance {
  readonly #limits: Limits;
  readonly #within: Allowance | undefined;
  #bytes = 0;
  #processes = 0;

  /** What is taken counts for `within` too. */
  constructor(limits: Limits, within?: Allowance) {
    this.#limits = limits;
    this.#within = within;
  }

  /** Commands that run now, wherever this allowance is within. */
  get busy(): number {
    return this.#within?.busy ?? this.#processes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes so many bytes; gives some back with a negative number. False when there are not so many left: none are taken. */
  take(bytes: number): boolean {
    if (bytes > 0 && this.#bytes + bytes > this.#limits.bytes) return false;
    if (this.#within?.take(bytes) === false) return false;
    this.#bytes += bytes;
    return true;
  }

  /** One more command; false when there are too many. */
  enter(): boolean {
    if (this.#processes >= this.#limits.processes || this.#within?.enter() === false) return false;
    this.#processes++;
    return true;
  }

  /** A command has ended. */
  leave(): void {
    this.#processes--;
    this.#within?.leave();
  }

  /** Gives back all bytes: what held them is gone. */
  release(): void {
    this.take(-this.#bytes);
  }
}
