import type { Pod } from "#api/generated/core/v1.ts";
import type { RuntimeClass } from "#api/generated/node/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";

const RUNTIME_CLASSES: ResourceId = { group: "node.k8s.io", version: "v1", resource: "runtimeclasses" };
/** How long what was read holds, in milliseconds. Its handler cannot change. */
const FRESH_MS = 60_000;
const CLASSES_MAX = 256;

/** Finds the runtime's handlers that pods ask for by classes (upstream's `runtimeclass.Manager`). */
export class RuntimeClasses {
  readonly #client: Client | undefined;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly handler: string; readonly atMs: number }>();

  constructor({ client, clock }: { readonly client: Client | undefined; readonly clock: Clock }) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Empty for a pod without a class. Rejects when there is no such class; one that was there goes on while the API is away. */
  async handlerOf({ spec }: Pod): Promise<string> {
    const name = spec.runtimeClassName ?? "";
    if (name === "") return "";
    const known = this.#known.get(name);
    if (known !== undefined && this.#clock.elapsed() - known.atMs < FRESH_MS) return known.handler;
    try {
      const handler = await this.#read(name);
      if (this.#known.size >= CLASSES_MAX) this.#known.clear();
      this.#known.set(name, { handler, atMs: this.#clock.elapsed() });
      return handler;
    } catch (error) {
      if (known !== undefined && !isNotFound(error)) return known.handler;
      throw error;
    }
  }

  async #read(name: string): Promise<string> {
    if (this.#client === undefined) throw new Error(`RuntimeClass.node.k8s.io "${name}" not found`);
    return (await this.#client.get<RuntimeClass>(RUNTIME_CLASSES, "", name)).handler;
  }
}
