import { UNLIMITED } from "#apimachinery/cel/cost/range.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { costMessage } from "./cost-message.ts";

/** The most that all rules of a schema can be estimated to cost. */
const TOTAL_COST_MAX = 100_000_000;

/** The most expensive rules that are named. */
const NAMED_MAX = 4;

/** Adds up what a schema's rules cost; upstream's `TotalCost`. */
export class TotalCost {
  #total = 0;
  #expensive: { readonly path: FieldPath; readonly cost: number }[] = [];

  add(path: FieldPath, cost: number): void {
    this.#total = Math.min(this.#total + cost, UNLIMITED);
    if (cost < TOTAL_COST_MAX / 100) return;
    this.#expensive.push({ path, cost });
    this.#expensive.sort((a, b) => b.cost - a.cost);
    this.#expensive = this.#expensive.slice(0, NAMED_MAX);
  }

  /** What to say of it, at the schema. */
  errors(schema: FieldPath): FieldError[] {
    if (this.#total <= TOTAL_COST_MAX) return [];
    const contributed = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
    const what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
    return [
      ...this.#expensive.map(({ path }) => forbidden(path, contributed)),
      forbidden(schema, costMessage(what, this.#total, TOTAL_COST_MAX)),
    ];
  }
}
