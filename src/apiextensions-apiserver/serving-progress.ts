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
  /** What a definition is to be served as, which is asked of all of them at each change of one. */
  readonly #wanted = new WeakMap<CustomResourceDefinition, string>();
  /** Those that are not served as they are, of the definitions that were there; until something is settled. */
  #pending: { readonly tree: unknown; readonly definitions: readonly CustomResourceDefinition[] } | undefined;

  constructor(definitions: GenericStore, clock: Clock) {
    this.#definitions = definitions;
    this.#clock = clock;
  }

  /** A definition is served in this state now, or is found not to be servable in it; undefined: it is served no longer. */
  settle(name: string, state: string | undefined): void {
    if (state === undefined) this.#states.delete(name);
    else this.#states.set(name, state);
    this.#pending = undefined;
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
    return this.#notServed().some(
      ({ spec }) => (group === undefined || spec.group === group) && (plural === undefined || spec.names.plural === plural),
    );
  }

  /** Asked for each request: looks at the definitions only when one of them, or what is served, has changed. */
  #notServed(): readonly CustomResourceDefinition[] {
    const { tree } = this.#definitions.core.cache;
    if (this.#pending?.tree === tree) return this.#pending.definitions;
    const all = this.#definitions.listCached("") as unknown as readonly CustomResourceDefinition[];
    const definitions = all.filter((definition) => {
      if (!isTrue(definition, "Established")) return false;
      return this.#states.get(definition.metadata.name ?? "") !== this.#wantedState(definition);
    });
    this.#pending = { tree, definitions };
    return definitions;
  }

  #wantedState(definition: CustomResourceDefinition): string {
    let state = this.#wanted.get(definition);
    if (state === undefined) {
      state = servedState(definition);
      this.#wanted.set(definition, state);
    }
    return state;
  }
}
