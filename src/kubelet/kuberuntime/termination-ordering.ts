import type { Pod } from "#api/generated/core/v1.ts";
import { isSidecar } from "../observed-pod.ts";

/**
 * Who waits for whom when a pod ends (upstream's `terminationOrdering`): sidecars for all other containers, and each for those
 * sidecars that began after it.
 */
export class TerminationOrdering {
  readonly #ended = new Set<string>();
  readonly #running: ReadonlySet<string>;
  readonly #sidecars: readonly string[];
  readonly #waiting = new Set<() => void>();

  constructor(pod: Pod, running: Iterable<string>) {
    this.#running = new Set(running);
    this.#sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  }

  /** A container has ended. */
  ended(name: string): void {
    this.#ended.add(name);
    for (const look of [...this.#waiting]) look();
  }

  /** Whether a container may be asked to end now. */
  isTurnOf(name: string): boolean {
    const index = this.#sidecars.indexOf(name);
    if (index < 0) return true;
    const later = new Set(this.#sidecars.slice(index + 1));
    return [...this.#running].every(
      (other) => this.#ended.has(other) || other === name || (this.#sidecars.includes(other) && !later.has(other)),
    );
  }

  /** Resolves when it is a container's turn; at once for most. `signal` ends the waiting. */
  turnOf(name: string, signal: AbortSignal): Promise<void> {
    if (this.isTurnOf(name) || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.isTurnOf(name) && !signal.aborted) return;
        this.#waiting.delete(look);
        signal.removeEventListener("abort", look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener("abort", look);
    });
  }
}
