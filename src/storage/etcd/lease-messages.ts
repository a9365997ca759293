import { frameOf } from "#base/grpc/message-writer.ts";
import { type ReadField, WireReader } from "#base/wire-reader.ts";
import type { AttachedLease } from "../kv.ts";

/** A `LeaseTimeToLiveRequest` that asks for the keys too. Ids are exact: those that etcd makes itself do not fit a number. */
export function timeToLiveRequest(id: bigint): Buffer {
  return frameOf((fields) => {
    fields.flag(2, true);
    fields.bigInteger(1, id);
  });
}

/** The ids of a `LeaseLeasesResponse`. */
export function leaseIds(bytes: Uint8Array): readonly bigint[] {
  const ids: bigint[] = [];
  const reader = new WireReader(bytes);
  const readStatus: ReadField = (number, wire) => {
    if (number === 1) ids.push(reader.varint());
    else reader.skip(wire);
  };
  reader.fields((number, wire) => {
    if (number === 2) reader.message(readStatus);
    else reader.skip(wire);
  });
  return ids;
}

/** Decodes a `LeaseTimeToLiveResponse`; -1 seconds for a lease that is not there. */
export function timeToLive(bytes: Uint8Array): AttachedLease {
  const lease = { remainingSeconds: 0, keys: [] as string[] };
  const reader = new WireReader(bytes);
  reader.fields((number, wire) => {
    if (number === 3) lease.remainingSeconds = reader.integer();
    else if (number === 5) lease.keys.push(reader.text());
    else reader.skip(wire);
  });
  return lease;
}
