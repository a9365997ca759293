import type { KVStore } from "../kv.ts";
import { REGISTRY, registryKeys } from "./copied-keys.ts";

/** What a target remembers of a copy into it, so that a copy can be gone on with and another cluster's data is not overwritten. */
export interface CopyMarker {
  /** Which cluster was copied. */
  readonly cluster: string;
  readonly state: "copying" | "done";
  /** The marker's own revision. */
  readonly revision: number;
}

/** A copy that is refused or has failed; the message is meant for a terminal. */
export class CopyError extends Error {
  override readonly name = "CopyError";
}

/** Reads the marker; undefined where nothing was ever copied. */
export async function readMarker(store: KVStore, key: string): Promise<CopyMarker | undefined> {
  const { kv } = await store.get(key);
  if (kv === undefined) return undefined;
  try {
    const { cluster, state } = JSON.parse(new TextDecoder().decode(kv.value)) as Partial<CopyMarker>;
    return { cluster: String(cluster), state: state === "done" ? "done" : "copying", revision: kv.modRevision };
  } catch {
    throw new CopyError(`the target's key ${key} is not of this program`);
  }
}

/** Writes the marker; resolves with its revision. */
export async function writeMarker(store: KVStore, key: string, marker: Omit<CopyMarker, "revision">): Promise<number> {
  const { kv } = await store.get(key);
  const put = { value: new TextEncoder().encode(JSON.stringify(marker)) };
  const result = await store.txn({ key, expectedModRevision: kv?.modRevision ?? 0, put });
  if (!result.succeeded) throw new CopyError("somebody else is copying into the target");
  return result.revision;
}

/**
 * Throws where the target holds something that a copy of `cluster` would destroy: data that this program has not copied there, a
 * copy of another cluster, or a copy that has been used since it was finished.
 */
export async function checkTarget(target: KVStore, markerKey: string, cluster: string): Promise<void> {
  const refuse = (what: string): never => {
    throw new CopyError(`the target ${what}. With --overwrite it is replaced: all that the source lacks is deleted there.`);
  };
  const marker = await readMarker(target, markerKey);
  const keys = await target.count(REGISTRY);
  if (keys === 0) return;
  if (marker === undefined) return refuse(`holds a cluster's data already (${keys} keys)`);
  if (marker.cluster !== cluster) return refuse(`holds a copy of another cluster (${marker.cluster})`);
  if (marker.state === "copying") return;
  for await (const { key, modRevision } of registryKeys(target, await target.currentRevision())) {
    if (modRevision > marker.revision) refuse(`has been written to since the copy into it was finished (${key})`);
  }
}
