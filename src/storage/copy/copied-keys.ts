import { sortKey } from "../key-order.ts";
import type { KeyValue, KVStore } from "../kv.ts";

/** Under this all of a cluster's state lies. */
export const REGISTRY = "/registry/";

/** What is not copied, with the reason that is told. */
export const LEFT_OUT: readonly { readonly prefix: string; readonly reason: string }[] = [
  { prefix: `${REGISTRY}masterleases/`, reason: "the addresses of API servers that run; each enters its own" },
  { prefix: `${REGISTRY}peerserverleases/`, reason: "the addresses of API servers that run; each enters its own" },
];

/** Keys in one step of a walk. */
const PAGE_KEYS = 500;

/** Walks over what a store holds for a cluster as of one revision, in key order. */
export async function* registryKeys(store: KVStore, revision: number): AsyncGenerator<KeyValue> {
  for (let startKey: string | undefined; ; ) {
    const page = await store.list(REGISTRY, { revision, limit: PAGE_KEYS, ...(startKey !== undefined && { startKey }) });
    yield* page.kvs;
    const last = page.kvs.at(-1);
    if (page.remaining === 0 || last === undefined) return;
    startKey = `${last.key}\0`;
  }
}

/** A key that one of two stores has, or both. */
export interface KeyPair {
  readonly key: string;
  readonly source: KeyValue | undefined;
  readonly target: KeyValue | undefined;
}

/** Walks over two stores side by side. What is left out of copies counts as absent in the source. */
export async function* keyPairs(
  source: { readonly store: KVStore; readonly revision: number },
  target: { readonly store: KVStore; readonly revision: number },
): AsyncGenerator<KeyPair> {
  const [left, right] = [registryKeys(source.store, source.revision), registryKeys(target.store, target.revision)];
  const nextSource = async (): Promise<KeyValue | undefined> => {
    for (;;) {
      const { value } = await left.next();
      if (value === undefined || !isLeftOut(value.key)) return value;
    }
  };
  let [a, b]: [KeyValue | undefined, KeyValue | undefined] = [await nextSource(), (await right.next()).value];
  while (a !== undefined || b !== undefined) {
    const [before, after] = [a && sortKey(a.key), b && sortKey(b.key)];
    const takeA: boolean = before !== undefined && (after === undefined || before <= after);
    const takeB: boolean = after !== undefined && (before === undefined || after <= before);
    yield { key: (takeA ? a?.key : b?.key) ?? "", source: takeA ? a : undefined, target: takeB ? b : undefined };
    if (takeA) a = await nextSource();
    if (takeB) b = (await right.next()).value;
  }
}

function isLeftOut(key: string): boolean {
  return LEFT_OUT.some(({ prefix }) => key.startsWith(prefix));
}

/** Whether the target has what the source has: the same bytes, and a time to live where the source has one. */
export function isCopied({ source, target }: KeyPair): boolean {
  if (source === undefined || target === undefined) return source === target;
  return Buffer.compare(source.value, target.value) === 0 && (source.lease === 0) === (target.lease === 0);
}
