import type { Taint, Toleration } from "#api/generated/core/v1.ts";

/** Whether one toleration covers one taint. Upstream's `Toleration.ToleratesTaint`, with `Lt` and `Gt` of KEP-5471. */
export function toleratesTaint(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? "") {
    case "":
    case "Equal":
      return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists":
      return true;
    case "Lt":
      return compareNumbers(taint.value, toleration.value, (a, b) => a < b);
    case "Gt":
      return compareNumbers(taint.value, toleration.value, (a, b) => a > b);
    default:
      return false;
  }
}

/** The first taint of the given effects that nothing tolerates. */
export function findUntoleratedTaint(
  taints: readonly Taint[],
  tolerations: readonly Toleration[],
  effects: readonly string[],
): Taint | undefined {
  return taints.find(
    (taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => toleratesTaint(toleration, taint)),
  );
}

/** Same key and effect: a node has at most one such taint. */
export function matchTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}

function compareNumbers(
  taintValue: string | undefined,
  tolerationValue: string | undefined,
  holds: (a: bigint, b: bigint) => boolean,
): boolean {
  if (!isInteger(taintValue) || !isInteger(tolerationValue)) return false;
  return holds(BigInt(taintValue), BigInt(tolerationValue));
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^-?(0|[1-9][0-9]*)$/.test(text);
}
