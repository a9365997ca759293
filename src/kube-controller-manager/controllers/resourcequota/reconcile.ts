import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type Quantity, quantityAdd, quantityCompare, quantitySub, ZERO_QUANTITY } from "#apimachinery/resource/quantity.ts";
import { equalLists, parseResourceList, type ResourceList } from "#component-helpers/quota/resource-list.ts";
import type { RequeueAction } from "../../framework/controller.ts";

/**
 * The API server charges a quota before it stores what is charged: for this long an object may be paid for and not be seen.
 * Longer than any write takes. Milliseconds.
 */
export const SETTLE_MS = 1_000;

/** A quota that seems to be charged too much, since when, and what it was charged with then. */
export interface Sinking {
  readonly sinceMs: number;
  readonly used: ResourceList;
}

/** Until it is looked again whether a resource that a quota counts is served now. Milliseconds. */
const UNKNOWN_RETRY_MS = 30_000;

export interface Observed {
  readonly quota: ResourceQuota;
  /** What the objects that are seen use, of all that can be measured. */
  readonly usage: ResourceList;
  /** Everything that the quota names is served, as far as such a thing can be. */
  readonly complete: boolean;
  /** Since an earlier look. */
  readonly sinking: Sinking | undefined;
  readonly nowMs: number;
}

export type Action =
  | { readonly type: "writeStatus"; readonly used: ResourceList }
  | { readonly type: "remember"; readonly sinking: Sinking | undefined };

/**
 * Makes a quota's status tell its limits and what is used. More use is told at once. Less use is told when the charges of
 * objects that were on their way have settled, less those that came after: so no race with the API server gives away more
 * than there is. (Upstream tells it at once.) After each change there is a second look, for what was on its way unpaid.
 */
export function reconcile({ quota, usage, complete, sinking, nowMs }: Observed): readonly (Action | RequeueAction)[] {
  const hard = quota.spec?.hard ?? {};
  const charged = parseResourceList(quota.status?.used);
  const settled = sinking !== undefined && nowMs - sinking.sinceMs >= SETTLE_MS;
  const used = new Map<string, Quantity>();
  for (const name of Object.keys(hard)) {
    const value = nextValue(usage.get(name), charged.get(name), settled ? (sinking.used.get(name) ?? ZERO_QUANTITY) : undefined);
    if (value !== undefined) used.set(name, value);
  }
  const unsettled = [...used].some(([name, value]) => quantityCompare(value, usage.get(name) ?? value) > 0);
  const next = unsettled ? (settled ? { sinceMs: nowMs, used } : (sinking ?? { sinceMs: nowMs, used })) : undefined;
  const changed = !quota.status?.used || !semanticEqual(hard, quota.status.hard ?? {}) || !equalLists(used, charged);
  const actions: (Action | RequeueAction)[] = [];
  if (next !== sinking) actions.push({ type: "remember", sinking: next });
  if (changed) actions.push({ type: "writeStatus", used });
  if (changed || next !== undefined) {
    const afterMs = next === undefined ? SETTLE_MS : Math.max(1, next.sinceMs + SETTLE_MS - nowMs);
    actions.push({ type: "requeue", afterMs });
  }
  if (!complete) actions.push({ type: "requeue", afterMs: UNKNOWN_RETRY_MS });
  return actions;
}

/** `before` is what was charged when the use first seemed less, once that has settled. */
function nextValue(
  seen: Quantity | undefined,
  charged: Quantity | undefined,
  before: Quantity | undefined,
): Quantity | undefined {
  if (seen === undefined || charged === undefined) return seen ?? charged;
  if (quantityCompare(seen, charged) >= 0) return seen;
  if (before === undefined) return charged;
  const later = quantitySub(charged, before);
  const floor = later.unscaled > 0n ? quantityAdd(seen, later) : seen;
  return quantityCompare(floor, charged) < 0 ? floor : charged;
}
