import type { Lease } from "#api/generated/coordination/v1.ts";
import { earlyTakeovers, type Gap, type LeaseChange, type Tenure } from "../history/leadership.ts";
import type { Masters } from "./masters.ts";
import { LEASE_DURATION_MS } from "./masters.ts";
import type { RecordedSegment, RecordedWatcher } from "./recorded-watcher.ts";

/** The programs of which one leads. */
export type Elected = "kube-controller-manager" | "kube-scheduler";

/** What an elected program writes into its Lease, as {@link RecordedWatcher} keeps it. */
export function shownLease({ spec }: Lease): string {
  return JSON.stringify([spec?.holderIdentity ?? "", spec?.acquireTime ?? "", spec?.renewTime ?? ""]);
}

/** An identity in a Lease begins with its machine's name. */
export function machineOf(identity: string): string {
  return identity.split("_")[0] ?? "";
}

function tenureOf(value: string): Tenure {
  const [identity = "", acquired = "", renewed = ""] = JSON.parse(value) as string[];
  return { identity, acquiredAt: Date.parse(acquired), renewedAt: Date.parse(renewed) };
}

/** Every change of a Lease that was told, by the machine that held it. */
export function leaseChanges({ segments }: RecordedWatcher<Lease>): readonly LeaseChange[] {
  return segments.flatMap(({ start, listedAt, events, toldAt }) => [
    ...[...start.values()].map(({ revision, value }) => changeOf(revision, value, listedAt)),
    ...events.map(({ revision, value }, i) => changeOf(revision, value, toldAt[i] ?? 0)),
  ]);
}

function changeOf(revision: number, value: string, at: number): LeaseChange {
  return { revision, holder: machineOf(tenureOf(value).identity), at };
}

/** Where changes of a Lease may be missing: between what was told last and what a new list found. */
export function leaseGaps({ segments }: RecordedWatcher<Lease>): readonly Gap[] {
  return segments.slice(1).map(({ start, from }, i) => ({
    after: segments[i]?.until ?? 0,
    until: Math.min(from, ...[...start.values()].map(({ revision }) => revision)),
  }));
}

/** Where somebody took the Lease before its time was over. */
export function earlyLeaders({ segments }: RecordedWatcher<Lease>, masters: Masters): readonly string[] {
  const times = (identity: string, shown: number): readonly number[] => masters.clocks.trueTimes(machineOf(identity), shown);
  return segments.flatMap((segment) => earlyTakeovers(tenures(segment), LEASE_DURATION_MS, times));
}

function tenures({ start, events }: RecordedSegment): readonly Tenure[] {
  return [...[...start.values()].map(({ value }) => tenureOf(value)), ...events.map(({ value }) => tenureOf(value))];
}
