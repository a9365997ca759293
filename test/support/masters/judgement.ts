import { writeFileSync } from "node:fs";
import { wrongAnswers } from "../history/answers.ts";
import { actsOfOthers, successions } from "../history/leadership.ts";
import { checkLinearizable } from "../history/linearizability.ts";
import { checkWatched, type WatchedSegment } from "../history/watched.ts";
import { type ProgramActs, programActs } from "./acts.ts";
import { type Elected, earlyLeaders, leaseChanges, leaseGaps } from "./elected.ts";
import { placements, tooManyPods } from "./pods-seen.ts";
import type { Seen } from "./seen.ts";

/** How long after a connection is back something may arrive that was sent before: TCP tries again less and less often. */
const ON_THE_WAY_MS = 8_000;

/** Everything that is wrong with what was seen of a trial whose clients and watchers have ended. `lists` are what was read last. */
export function judged(seen: Seen, lists: readonly WatchedSegment[]): readonly string[] {
  const { masters, recording, watchers, leases, pods, nodes, silences, wanted } = seen;
  const { failures, late, operations, writes } = recording;
  const wrong = [...wrongAnswers([...failures, ...late], silences)];
  for (const [key, history] of operations) {
    const verdict = checkLinearizable(history);
    if (verdict.kind === "linearizable") continue;
    wrong.push(`${key}: ${JSON.stringify(verdict)}`);
    writeFileSync(masters.path(`history-${key}.json`), history.map((operation) => JSON.stringify(operation)).join("\n"));
  }
  wrong.push(...checkWatched([...watchers.flatMap(({ segments }) => segments), ...lists], writes));
  for (const watcher of [...Object.values(leases), pods]) wrong.push(...checkWatched(watcher.segments, []));
  for (const watcher of Object.values(leases)) wrong.push(...earlyLeaders(watcher, masters));
  // Nodes never are silent for as long as it takes to be called so.
  for (const { key, value } of nodes.segments.flatMap(({ events }) => events)) {
    if (value !== "True") wrong.push(`${key} was called ${value}`);
  }
  const acts = actsOf(seen);
  const counts = (pod: string): boolean => acts.toldPods.has(pod) && !acts.latePods.has(pod);
  wrong.push(...actsBesideLeaders(seen, acts), ...tooManyPods(pods.segments, wanted, counts));
  return wrong;
}

/** What a trial was like, for whoever reads a run's output. */
export function summaryOf(seen: Seen): string {
  const { operations, failures, acknowledged } = seen.recording;
  const codes = new Map<number, number>();
  for (const { code } of failures) codes.set(code, (codes.get(code) ?? 0) + 1);
  const watches = seen.watchers.map(({ counts, segments }) => ({
    ...counts,
    events: segments.reduce((sum, { events }) => sum + events.length, 0),
  }));
  const leaders = Object.entries(seen.leases).map(([name, watcher]) => {
    return [name, successions(leaseChanges(watcher)).map(({ holder }) => holder || "-")] as const;
  });
  return JSON.stringify({
    objects: operations.size,
    acknowledged: [...acknowledged.values()].reduce((sum, count) => sum + count, 0),
    failures: Object.fromEntries(codes),
    slowestFailureMs: Math.round(Math.max(0, ...failures.map(({ durationMs }) => durationMs))),
    watches,
    leaders: Object.fromEntries(leaders),
    acts: actsOf(seen).acts.length,
  });
}

function actsOf({ masters, namespace, auditedBefore, pods, reconnections }: Seen): ProgramActs {
  return programActs(masters, {
    namespace,
    from: auditedBefore,
    placed: placements(pods.segments),
    wasOnItsWay: (machine, at) => (reconnections.get(machine) ?? []).some((back) => at >= back && at < back + ON_THE_WAY_MS),
  });
}

function actsBesideLeaders(seen: Seen, { acts, unknown }: ProgramActs): readonly string[] {
  const wrong = (Object.keys(seen.leases) as Elected[]).flatMap((name) => {
    const changes = leaseChanges(seen.leases[name]);
    const from = changes[0]?.revision ?? 0;
    // What was done before anybody watched cannot be judged.
    const judgedActs = acts.filter(({ of, revision }) => of === name && revision >= from);
    return actsOfOthers(changes, judgedActs, leaseGaps(seen.leases[name]));
  });
  return [...unknown, ...wrong];
}
