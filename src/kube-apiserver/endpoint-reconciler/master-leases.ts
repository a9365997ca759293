import type { KVStore } from "#storage/kv.ts";

/** Upstream's key of the API servers that live (`apiServerIPInfo`). */
const PREFIX = "/registry/masterleases/";
/** Upstream's `DefaultEndpointReconcilerTTL`: a server that says nothing for so long counts as dead. */
const TTL_SECONDS = 15;

/**
 * The addresses of the API servers that live, each under a key that the store forgets unless it is written anew. Values are
 * upstream's, so that its API servers and these may share a store (`pkg/controlplane/reconcilers/lease.go`).
 */
export class MasterLeases {
  readonly #kv: KVStore;

  constructor(kv: KVStore) {
    this.#kv = kv;
  }

  /** In order of their texts. */
  async list(): Promise<readonly string[]> {
    const { kvs } = await this.#kv.list(PREFIX);
    return kvs.map(({ key }) => key.slice(PREFIX.length)).sort();
  }

  /** Enters the address, or says that it still lives. */
  async renew(ip: string): Promise<void> {
    const key = `${PREFIX}${ip}`;
    const lease = await this.#kv.grantLease(TTL_SECONDS);
    let { kv: present } = await this.#kv.get(key);
    for (;;) {
      const value = Buffer.from(JSON.stringify(masterLease(ip, present?.version ?? 0)));
      const expectedModRevision = present?.modRevision ?? 0;
      const result = await this.#kv.txn({ key, expectedModRevision, put: { value, lease } });
      if (result.succeeded) return;
      present = result.current;
    }
  }

  async remove(ip: string): Promise<void> {
    const key = `${PREFIX}${ip}`;
    const { kv } = await this.#kv.get(key);
    if (kv !== undefined) await this.#kv.txn({ key, expectedModRevision: kv.modRevision });
  }
}

/** Upstream counts the writes in `generation`. */
function masterLease(ip: string, writes: number): object {
  return {
    kind: "Endpoints",
    apiVersion: "v1",
    metadata: { generation: writes + 1, creationTimestamp: null },
    subsets: [{ addresses: [{ ip }] }],
  };
}
