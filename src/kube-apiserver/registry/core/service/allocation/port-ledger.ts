import type { RangeAllocation } from "#api/generated/core/v1.ts";
import { internalError } from "#apimachinery/api-errors/errors.ts";
import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { PROTOBUF_PREFIX } from "#apimachinery/protobuf/envelope.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { Clock } from "#base/clock.ts";
import { type KVStore, StorageError } from "#storage/kv.ts";
import { PortSet } from "./port-set.ts";

/** Upstream's key: API servers of either make on one store agree by it. */
const KEY = "/registry/ranges/servicenodeports";
/** A port that no Service has had for so long was left behind by a server that died between taking it and writing the Service. */
const LEFT_BEHIND_MS = 10 * 60 * 1000;
const ATTEMPTS_MAX = 100;

/** What a change makes of the ports that are taken; `taken` is absent where nothing changes. */
export interface LedgerChange<T> {
  readonly result: T;
  readonly taken?: PortSet;
}

/**
 * The node ports that are taken, kept in the store as upstream's RangeAllocation: several API servers never hand out one port
 * twice. Ports that Services are seen to have are taken whatever it says.
 */
export class PortLedger {
  readonly #kv: KVStore;
  readonly #clock: Clock;
  readonly #range: string;
  readonly #inUse: () => PortSet;
  readonly #unusedSince = new Map<number, number>();
  #turn: Promise<unknown> = Promise.resolve();

  /** `range` is inclusive, such as `30000-32767`; `inUse` gives the ports of the Services that are there. */
  constructor(options: { kv: KVStore; clock: Clock; range: string; inUse: () => PortSet }) {
    this.#kv = options.kv;
    this.#clock = options.clock;
    this.#range = options.range;
    this.#inUse = options.inUse;
  }

  /** Applies `change` to what is taken, which is its own, and again when another server was faster. Throws what `change` throws. */
  change<T>(change: (taken: PortSet) => LedgerChange<T>): Promise<T> {
    // One after the other: the requests of one server shall not get in each other's way.
    const turn = this.#turn.then(() => this.#change(change));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #change<T>(change: (taken: PortSet) => LedgerChange<T>): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const { kv } = await this.#stored(this.#kv.get(KEY));
      const { result, taken } = change(this.#taken(kv?.value));
      if (taken === undefined) return result;
      const request = { key: KEY, expectedModRevision: kv?.modRevision ?? 0, put: { value: this.#encode(taken) } };
      if ((await this.#stored(this.#kv.txn(request))).succeeded) return result;
    }
    throw internalError("the node ports change too often to take one");
  }

  /** Gives ports back, in the background: what fails is found to be unused later. */
  release(ports: readonly number[]): void {
    if (ports.length === 0) return;
    this.change((taken) => {
      for (const port of ports) taken.delete(port);
      return { result: undefined, taken };
    }).catch(() => undefined);
  }

  async #stored<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw error instanceof StorageError ? internalError(error.message) : error;
    });
  }

  #taken(value: Uint8Array | undefined): PortSet {
    const inUse = this.#inUse();
    const stored = value === undefined ? new PortSet() : decode(value);
    const now = this.#clock.elapsed();
    for (const port of this.#unusedSince.keys()) if (inUse.has(port) || !stored.has(port)) this.#unusedSince.delete(port);
    for (const port of stored.without(inUse)) {
      const since = this.#unusedSince.get(port) ?? now;
      this.#unusedSince.set(port, since);
      if (now - since < LEFT_BEHIND_MS) continue;
      this.#unusedSince.delete(port);
      stored.delete(port);
    }
    stored.addAll(inUse);
    return stored;
  }

  #encode(taken: PortSet): Uint8Array {
    const data = Buffer.from(taken.toNumber(lowEnd(this.#range)));
    const object: RangeAllocation = {
      apiVersion: "v1",
      kind: "RangeAllocation",
      metadata: {},
      range: this.#range,
      data: data.toString("base64"),
    };
    return Buffer.from(JSON.stringify(object));
  }
}

function lowEnd(range: string): number {
  return Number(range.split("-", 1)[0]);
}

/** The ports of a stored RangeAllocation: `data` is one large number, a bit for each port from the range's low end up. */
function decode(value: Uint8Array): PortSet {
  const isProtobuf = PROTOBUF_PREFIX.every((byte, i) => value[i] === byte);
  const { range = "", data = "" } = (
    isProtobuf ? decodeProtobuf(value, schemaFor) : JSON.parse(Buffer.from(value).toString("utf8"))
  ) as Partial<RangeAllocation>;
  return PortSet.fromNumber(Buffer.from(data, "base64"), lowEnd(range));
}
