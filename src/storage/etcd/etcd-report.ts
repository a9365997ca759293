import { type ReadField, WireReader } from "#base/wire-reader.ts";
import type { StoreReport } from "../kv.ts";

/** etcd's `AlarmType` by its number. */
const ALARMS: Readonly<Record<number, string>> = { 1: "NOSPACE", 2: "CORRUPT" };

/** What somebody has to do before an alarm can be disarmed. */
const REMEDIES: Readonly<Record<string, string>> = {
  NOSPACE: "its database is full, and writes fail: compact and defragment it, or raise its quota, then run etcdctl alarm disarm",
  CORRUPT: "its members do not hold the same data, and what is asked of it fails: replace the member that is wrong",
};

/** From that size on it is worth saying that most of a database is free. */
const WORTH_DEFRAGMENTING_BYTES = 256 * 1024 * 1024;

/** What a member says of its database. */
export interface MemberState {
  readonly dbSize: number;
  /** The part that holds data. */
  readonly dbSizeInUse: number;
}

/** The kinds of alarm in an `AlarmResponse`, each once. */
export function alarmNames(bytes: Uint8Array): readonly string[] {
  const names = new Set<string>();
  const reader = new WireReader(bytes);
  const readAlarm: ReadField = (number, wire) => {
    if (number !== 2) return reader.skip(wire);
    const alarm = reader.integer();
    if (alarm !== 0) names.add(ALARMS[alarm] ?? `number ${alarm}`);
  };
  reader.fields((number, wire) => {
    if (number === 2) reader.message(readAlarm);
    else reader.skip(wire);
  });
  return [...names].sort();
}

/** Reads the sizes of a `StatusResponse`. */
export function memberState(bytes: Uint8Array): MemberState {
  const state = { dbSize: 0, dbSizeInUse: 0 };
  const reader = new WireReader(bytes);
  reader.fields((number, wire) => {
    if (number === 3) state.dbSize = reader.integer();
    else if (number === 9) state.dbSizeInUse = reader.integer();
    else reader.skip(wire);
  });
  return state;
}

/** Alarms, and members most of whose database is free, in words; and how large the largest is. */
export function etcdReport(alarms: readonly string[], members: readonly (MemberState & { readonly url: string })[]): StoreReport {
  const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);
  const advice = members
    .filter(({ dbSize, dbSizeInUse }) => dbSize >= WORTH_DEFRAGMENTING_BYTES && dbSizeInUse * 2 < dbSize)
    .map(
      ({ url, dbSize, dbSizeInUse }) =>
        `${url} uses ${megabytes(dbSizeInUse)} of the ${megabytes(dbSize)} MB of its database: etcdctl defrag gives the rest back`,
    );
  return {
    alarms: alarms.map((name) => `etcd alarm ${name}: ${REMEDIES[name] ?? "see etcd's documentation"}`),
    advice,
    ...(members.length > 0 && { databaseBytes: Math.max(...members.map(({ dbSize }) => dbSize)) }),
  };
}
