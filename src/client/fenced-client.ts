import type { Client } from "./client.ts";

/** What says whether something may still be written, and is told of what is being written. */
export interface Fence {
  holds(): boolean;
  /** Called with every write that is on its way; hands it on. */
  track<T>(write: Promise<T>): Promise<T>;
}

/**
 * A client that writes nothing once the fence says no, for whoever may write only as long as something is his: the check and the sending
 * are one step, however long the process stood still before. What was sent cannot be called back, but waited for.
 */
export function fencedClient(client: Client, fence: Fence): Client {
  const write = async <T>(send: () => Promise<T>): Promise<T> => {
    if (!fence.holds()) throw new Error("nothing may be written any more: leadership has ended");
    return fence.track(send());
  };
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    raw: (...args) => client.raw(...args),
    create: (...args) => write(() => client.create(...args)),
    update: (...args) => write(() => client.update(...args)),
    patch: (...args) => write(() => client.patch(...args)),
    delete: (...args) => write(() => client.delete(...args)),
    deleteCollection: (...args) => write(() => client.deleteCollection(...args)),
  };
}
