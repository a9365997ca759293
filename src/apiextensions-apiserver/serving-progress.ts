import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import type { GenericStore } from "#apiserver/registry/store/generic-store.ts";
import type { Clock } from "#base/clock.ts";
import { isTrue } from "./definition/conditions.ts";

/** How long a request waits for its resource to be served. */
const WAIT_MAX_MS = 5000;

/** What a definition is served as: another state is served anew. */
export function servedState(definition: CustomResourceDefinition): string {
  const { uid, generation } = definition.metadata;
  return JSON.stringify([[uid, generation], definition.status?.acceptedNames, isTrue(definition, "Terminating")]);
}

/**
 * Which definitions say that they are established, or have changed since, and are not served as they are yet. Whoever has seen
 * the condition, here or at another API server, may ask at once, and is not to be told that there is no such resource.
 */
export class ServingProgress {
  readonly #definitions: GenericStore;
  readonly #clock: Clock;
  /** By name: what is served, or cannot be. */
  readonly #states = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  #settledTree: unknown;

  constructor(definitions: GenericStore, clock: Clock) {
    this.#definitions = definitions;
    this.#clock = clock;
  }

  /** A definition is served in this state now, or is found not to be servable in it; undefined: it is served no longer. */
  settle(name: string, state: string | undefined): void {
    if (state === undefined) this.#states.delete(name);
    else this.#states.set(name, state);
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves when everything of the group (of all groups when absent), or one resource of it, is served; undefined when it is. */
  pending(group: string | undefined, plural?: string): Promise<void> | undefined {
    if (!this.#isPending(group, plural)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        timer.clear();
        this.#waiting.delete(check);
        resolve();
      };
      const check = (): void => {
        if (!this.#isPending(group, plural)) done();
      };
      const timer = this.#clock.setTimeout(done, WAIT_MAX_MS, { unref: true });
      this.#waiting.add(check);
    });
  }

  #isPending(group: string | undefined, plural: string | undefined): boolean {
    const { tree } = this.#definitions.core.cache;
    if (tree === this.#settledTree) return false;
    const definitions = this.#definitions.listCached("") as unknown as readonly CustomResourceDefinition[];
    const pending = definitions.filter((definition) => {
      if (!isTrue(definition, "Established")) return false;
      return this.#states.get(definition.metadata.name ?? "") !== servedState(definition);
    });
    if (pending.length === 0) this.#settledTree = tree;
    return pending.some(
      ({ spec }) => (group === undefined || spec.group === group) && (plural === undefined || spec.names.plural === plural),
    );
  }
}
