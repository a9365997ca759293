import type { Pod } from "#api/generated/core/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { Clock } from "#base/clock.ts";
import { evaluatePod, violationReasons } from "./evaluator.ts";
import { type LevelVersion, levelVersionText } from "./policy.ts";

/** More pods of a namespace are not looked at. */
const PODS_MAX = 3_000;
/** Longer than this is not looked. Milliseconds. */
const TIME_MAX_MS = 1_000;

interface Finding {
  /** The first by name of the pods that break the same controls. */
  name: string;
  count: number;
}

/** What a namespace's pods break of a level that it is about to enforce, as warnings. They may stay. */
export function existingPodWarnings(
  namespace: string,
  pods: readonly Pod[],
  enforce: LevelVersion,
  isExempt: (pod: Pod) => boolean,
  clock: Clock,
): string[] {
  const candidates = oneOfEachControllerFirst(pods.filter((pod) => !isExempt(pod)));
  const findings = new Map<string, Finding>();
  const end = clock.elapsed() + TIME_MAX_MS;
  let checked = 0;
  for (const { metadata, spec } of candidates.slice(0, PODS_MAX)) {
    checked++;
    const violations = evaluatePod(enforce, { annotations: metadata?.annotations ?? {}, spec: spec ?? { containers: [] } });
    if (violations.length > 0) record(findings, violationReasons(violations), metadata?.name ?? "");
    if (clock.elapsed() > end) break;
  }
  const warnings: string[] = [];
  if (checked < candidates.length) {
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked} of ${candidates.length} existing pods`,
    );
  }
  if (findings.size > 0) {
    const level = levelVersionText(enforce);
    warnings.push(`existing pods in namespace ${goQuote(namespace)} violate the new PodSecurity enforce level ${goQuote(level)}`);
  }
  return [...warnings, ...[...findings].map(([reasons, { name, count }]) => `${name}${andOthers(count - 1)}: ${reasons}`).sort()];
}

function record(findings: Map<string, Finding>, reasons: string, name: string): void {
  const known = findings.get(reasons);
  if (known === undefined) {
    findings.set(reasons, { name, count: 1 });
    return;
  }
  known.count++;
  if (name < known.name) known.name = name;
}

function andOthers(count: number): string {
  if (count === 0) return "";
  return ` (and ${count} other ${count === 1 ? "pod" : "pods"})`;
}

/** Pods of the same controller are mostly alike: the first of each is looked at before the others. */
function oneOfEachControllerFirst(pods: readonly Pod[]): Pod[] {
  const seen = new Set<string>();
  const others: Pod[] = [];
  const first = pods.filter((pod) => {
    const uid = pod.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid;
    if (uid === undefined) return true;
    if (!seen.has(uid)) return Boolean(seen.add(uid));
    others.push(pod);
    return false;
  });
  return [...first, ...others];
}
