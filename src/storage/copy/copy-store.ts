import type { KVStore } from "../kv.ts";
import { isCopied, type KeyPair, keyPairs, LEFT_OUT, REGISTRY } from "./copied-keys.ts";
import { CopiedLeases } from "./copied-leases.ts";
import { CopyError, checkTarget, writeMarker } from "./copy-marker.ts";
import { raiseRevision } from "./raise-revision.ts";

/** What {@link copyStore} takes. */
export interface CopyOptions {
  readonly source: KVStore;
  readonly target: KVStore;
  /** Tells the source's cluster from others. */
  readonly cluster: string;
  /** Where the target remembers the copy. */
  readonly markerKey: string;
  /** Replace whatever the target holds. */
  readonly overwrite: boolean;
  /** Bring the target's revision above the source's first. */
  readonly raise: boolean;
  /** The keys are called otherwise in the target's database, so that values that are encrypted for their key cannot be copied. */
  readonly renamed: boolean;
  readonly onProgress: (what: string, done: number, total: number) => void;
}

/** What was done. */
export interface CopyResult {
  /** The source's revision that was copied. */
  readonly sourceRevision: number;
  /** The target's revision afterwards; whoever knows an older one is told to read anew. */
  readonly targetRevision: number;
  readonly written: number;
  readonly deleted: number;
  /** Keys that are the same in both. */
  readonly verified: number;
  /** Keys with a time to live that ended during the copy. */
  readonly ended: number;
  readonly leftOut: readonly { readonly prefix: string; readonly reason: string; readonly keys: number }[];
  /** Keys of the source that have changed since `sourceRevision`: another copy is needed. */
  readonly changedSince: number;
}

/** Differences that a failed verification names. */
const NAMED_MAX = 5;
/** Encryption that does not bind a value to its key; upstream's other providers do. */
const UNBOUND = /^k8s:enc:(aescbc|secretbox):/;

/**
 * Copies a cluster from one store to another, and compares every value afterwards. What is there already is left alone, so that a
 * copy that was interrupted goes on, and a second one only brings over what has changed.
 *
 * Objects get new revisions in the target, in the order of the old ones within each resource, all above every revision of the source;
 * then the target forgets all history. So a client's old resourceVersion is never newer than what it reads, and a watch from it ends
 * with "too old" instead of missing what was deleted in between.
 */
export async function copyStore(options: CopyOptions): Promise<CopyResult> {
  const { source, target, cluster, markerKey, onProgress } = options;
  if (!options.overwrite) await checkTarget(target, markerKey, cluster);
  await writeMarker(target, markerKey, { cluster, state: "copying" });
  const sourceRevision = await source.currentRevision();
  if (options.raise) {
    const scratchPrefix = `${markerKey}/revision-`;
    await raiseRevision(target, sourceRevision, {
      scratchPrefix,
      onProgress: (done, total) => onProgress("revisions passed over", done, total),
    });
  }
  const done = await bringOver(options, sourceRevision);
  const { verified, ended } = await verify(options, sourceRevision);
  const targetRevision = await writeMarker(target, markerKey, { cluster, state: "done" });
  await target.compact(targetRevision);
  const leftOut = await Promise.all(LEFT_OUT.map(async (part) => ({ ...part, keys: await source.count(part.prefix) })));
  const changedSince = await countChanges(source, sourceRevision, target);
  return {
    sourceRevision,
    targetRevision,
    ...done,
    verified,
    ended,
    leftOut: leftOut.filter(({ keys }) => keys > 0),
    changedSince,
  };
}

/** One key that differs, without its value: there may be many. */
interface Difference {
  readonly key: string;
  /** In the source; 0 where it is to be deleted. */
  readonly sourceRevision: number;
  readonly targetRevision: number;
}

async function bringOver(options: CopyOptions, revision: number): Promise<{ written: number; deleted: number }> {
  const { source, target } = options;
  const groups = new Map<string, Difference[]>();
  let total = 0;
  for await (const pair of keyPairs({ store: source, revision }, { store: target, revision: await target.currentRevision() })) {
    if (isCopied(pair)) continue;
    if (options.renamed) refuseBound(pair);
    const resource = pair.key.slice(REGISTRY.length).split("/", 1)[0] ?? "";
    const difference = {
      key: pair.key,
      sourceRevision: pair.source?.modRevision ?? 0,
      targetRevision: pair.target?.modRevision ?? 0,
    };
    const group = groups.get(resource);
    if (group === undefined) groups.set(resource, [difference]);
    else group.push(difference);
    total++;
  }
  const leases = new CopiedLeases(source, target);
  const counts = { written: 0, deleted: 0 };
  const apply = async ({ key, sourceRevision, targetRevision }: Difference): Promise<void> => {
    const kv = sourceRevision === 0 ? undefined : (await source.get(key, { revision })).kv;
    const lease = kv === undefined || kv.lease === 0 ? 0 : await leases.leaseOf(key);
    // Its time has run out meanwhile.
    const ended = lease === undefined;
    if (ended && targetRevision === 0) return;
    const put = kv === undefined || ended ? {} : { put: { value: kv.value, lease } };
    const result = await target.txn({ key, expectedModRevision: targetRevision, ...put });
    if (!result.succeeded) throw new CopyError(`somebody else writes into the target (${key}): stop the API servers on it`);
    if (put.put === undefined) counts.deleted++;
    else counts.written++;
    options.onProgress("keys copied", counts.written + counts.deleted, total);
  };
  // Within a resource one after the other: only there do clients compare resourceVersions.
  await Promise.all(
    [...groups.values()].map(async (group) => {
      group.sort((a, b) => a.sourceRevision - b.sourceRevision);
      for (const difference of group) await apply(difference);
    }),
  );
  return counts;
}

function refuseBound({ key, source }: KeyPair): void {
  const head = Buffer.from(source?.value.subarray(0, 64) ?? []).toString("latin1");
  if (!head.startsWith("k8s:enc:") || UNBOUND.test(head)) return;
  throw new CopyError(
    `the value of ${key} is encrypted for that key, and could not be read under another prefix. Copy to the same prefix, or decrypt first (provider identity).`,
  );
}

async function verify(options: CopyOptions, revision: number): Promise<{ verified: number; ended: number }> {
  const { source, target } = options;
  const different: string[] = [];
  let [verified, ended] = [0, 0];
  const total = await target.count(REGISTRY);
  for await (const pair of keyPairs({ store: source, revision }, { store: target, revision: await target.currentRevision() })) {
    if (isCopied(pair)) options.onProgress("keys compared", ++verified, total);
    else if (pair.target === undefined && pair.source?.lease !== 0) ended++;
    else different.push(pair.key);
  }
  if (different.length === 0) return { verified, ended };
  const named = different.slice(0, NAMED_MAX).join(", ");
  throw new CopyError(
    `${different.length} keys differ after the copy (${named}, ...): does somebody else write into the target?`,
  );
}

async function countChanges(source: KVStore, sourceRevision: number, target: KVStore): Promise<number> {
  const revision = await source.currentRevision();
  if (revision === sourceRevision) return 0;
  let changes = 0;
  for await (const pair of keyPairs({ store: source, revision }, { store: target, revision: await target.currentRevision() })) {
    const { source: kv, target: copy } = pair;
    // What has ended in one of them is about to in the other.
    const ended = kv === undefined ? copy?.lease !== 0 : copy === undefined && kv.lease !== 0 && kv.modRevision <= sourceRevision;
    if (!isCopied(pair) && !ended) changes++;
  }
  return changes;
}
