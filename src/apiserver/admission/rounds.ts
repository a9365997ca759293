import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Reinvocation } from "./admission.ts";

/** Who of a plugin changes the object once more in the second round. Upstream's `webhookReinvokeContext` and `policyReinvokeContext`. */
export class Rounds {
  #lastOutput: ApiObject | undefined;
  #invoked = new Set<string>();
  readonly again: Set<string> = new Set<string>();

  static of(reinvocation: Reinvocation, plugin: string): Rounds {
    const known = reinvocation.values.get(plugin);
    if (known instanceof Rounds) return known;
    const made = new Rounds();
    reinvocation.values.set(plugin, made);
    return made;
  }

  changedSince(object: ApiObject | undefined): boolean {
    return !semanticEqual(this.#lastOutput, object);
  }

  keep(object: ApiObject | undefined): void {
    this.#lastOutput = object === undefined ? undefined : deepCopy(object);
  }

  /** By a name of one who may be asked again. */
  invoked(uid: string): void {
    this.#invoked.add(uid);
  }

  requireAgain(): void {
    for (const uid of this.#invoked) this.again.add(uid);
    this.#invoked = new Set();
  }
}
