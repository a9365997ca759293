import type { Client, SendOptions } from "./client.ts";

/** What says whether something may still be written, and is told of what is being written. */
export interface Fence {
  holds(): boolean;
  /** Called with every write that is on its way; hands it on. */
  track<T>(write: Promise<T>): Promise<T>;
}

/**
 * A client that writes nothing once the fence says no, for whoever may write only as long as something is his: the check and the sending
 * are one step, however long the process stood still before, or had to wait for a connection. What was sent cannot be called back, but
 * waited for.
 */
export function fencedClient(client: Client, fence: Fence): Client {
  const write = async <T>(send: () => Promise<T>): Promise<T> => {
    if (!fence.holds()) throw new Error("nothing may be written any more: leadership has ended");
    return fence.track(send());
  };
  const fenced = <T extends SendOptions>(options: T | undefined): T & SendOptions =>
    ({ ...options, mayBeSent: () => fence.holds() }) as T & SendOptions;
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    raw: (...args) => client.raw(...args),
    create: (id, namespace, object, options) => write(() => client.create(id, namespace, object, fenced(options))),
    update: (id, namespace, name, object, options) => write(() => client.update(id, namespace, name, object, fenced(options))),
    patch: (id, namespace, name, type, patch, options) =>
      write(() => client.patch(id, namespace, name, type, patch, fenced(options))),
    delete: (id, namespace, name, options) => write(() => client.delete(id, namespace, name, fenced(options))),
    deleteCollection: (id, namespace, options) => write(() => client.deleteCollection(id, namespace, fenced(options))),
  };
}
