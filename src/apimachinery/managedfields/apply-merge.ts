import { setOwn } from "../schema/json-node.ts";
import { entryPlan } from "./apply-field-set.ts";
import type { FieldPlan } from "./field-plan.ts";
import { asMap, itemStep, type JsonMap, type ListPlan } from "./field-values.ts";

/**
 * A configuration laid over the live value: structured-merge-diff's `Merge`. Nothing is removed; leaves are the
 * configuration's; lists that are owned item by item keep the order of the live one where the configuration does not
 * ask for another. Absent values are undefined.
 */
export function mergeValues(plan: FieldPlan, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  switch (plan.kind) {
    case "leaf":
      return config;
    case "set":
    case "keyed":
      return mergeLists(plan, live, config);
    case "deduced":
      return asMap(live) === undefined || (asMap(config) === undefined && config !== null)
        ? config
        : mergeMaps(plan, asMap(live), asMap(config), config);
    default:
      return mergeMaps(plan, asMap(live), asMap(config), config);
  }
}

function mergeMaps(plan: FieldPlan, live: JsonMap | undefined, config: JsonMap | undefined, whole: unknown): unknown {
  if (isEmpty(live) && isEmpty(config)) return whole;
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(live ?? {}), ...Object.keys(config ?? {})])) {
    const below = entryPlan(plan, key);
    const value = below === undefined ? undefined : mergeValues(below, own(live, key), own(config, key));
    if (value !== undefined) setOwn(merged, key, value);
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** Items by step. What stands twice in the live list is not merged with what the configuration has in its place. */
class Items {
  readonly steps: readonly string[];
  readonly #byStep = new Map<string, unknown>();

  constructor(plan: ListPlan, list: readonly unknown[]) {
    this.steps = list.map((item) => itemStep(plan, item));
    this.steps.forEach((step, i) => {
      this.#byStep.set(step, this.#byStep.has(step) ? null : list[i]);
    });
  }

  has(step: string): boolean {
    return this.#byStep.has(step);
  }

  get(step: string): unknown {
    return this.#byStep.get(step);
  }
}

function mergeLists(plan: ListPlan, live: unknown, config: unknown): unknown {
  const lefts = Array.isArray(live) ? (live as readonly unknown[]) : [];
  const rights = Array.isArray(config) ? (config as readonly unknown[]) : [];
  if (lefts.length === 0 && rights.length === 0) return config;
  const merged = mergeItems(plan, lefts, new Items(plan, lefts), new Items(plan, rights));
  return merged.length === 0 ? undefined : merged;
}

/**
 * Walks both lists at once. Items of one side alone are taken as they come; of the items that both have, the
 * configuration's order counts.
 */
function mergeItems(plan: ListPlan, live: readonly unknown[], left: Items, right: Items): unknown[] {
  const out: unknown[] = [];
  const element: FieldPlan = plan.kind === "keyed" ? plan.element : { kind: "leaf" };
  const shared = right.steps.filter((step) => left.has(step));
  const merged = new Set<string>();
  let nextShared = shared.shift();
  const take = (step: string): void => {
    merged.add(step);
    const value = mergeValues(element, left.has(step) ? left.get(step) : undefined, right.get(step));
    if (value !== undefined) out.push(value);
  };
  for (let l = 0, r = 0; l < left.steps.length || r < right.steps.length; ) {
    const leftStep = left.steps[l];
    const rightStep = right.steps[r];
    if (leftStep !== undefined && rightStep !== undefined) {
      if (leftStep === rightStep) {
        take(leftStep);
        l++;
        r++;
        nextShared = shared.shift();
        continue;
      }
      if (right.has(leftStep) && nextShared !== undefined && nextShared !== leftStep) {
        l++;
        continue;
      }
    }
    if (leftStep !== undefined) {
      if (!right.has(leftStep)) {
        out.push(live[l]);
        l++;
        continue;
      }
      if (merged.has(leftStep)) l++;
    }
    if (rightStep !== undefined) {
      take(rightStep);
      r++;
      if (nextShared === rightStep) nextShared = shared.shift();
    }
  }
  return out;
}

function isEmpty(map: JsonMap | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}

function own(map: JsonMap | undefined, key: string): unknown {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
