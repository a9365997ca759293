import type { Client } from "./client.ts";

/**
 * A client that writes nothing once `holds` says no, for whoever may write only as long as something is his: the check and the sending
 * are one step, however long the process stood still before. What was sent cannot be called back.
 */
export function fencedClient(client: Client, holds: () => boolean): Client {
  const check = (): void => {
    if (!holds()) throw new Error("nothing may be written any more: leadership has ended");
  };
  return {
    get: (...args) => client.get(...args),
    list: (...args) => client.list(...args),
    watch: (...args) => client.watch(...args),
    raw: (...args) => client.raw(...args),
    create: async (...args) => {
      check();
      return client.create(...args);
    },
    update: async (...args) => {
      check();
      return client.update(...args);
    },
    patch: async (...args) => {
      check();
      return client.patch(...args);
    },
    delete: async (...args) => {
      check();
      return client.delete(...args);
    },
    deleteCollection: async (...args) => {
      check();
      return client.deleteCollection(...args);
    },
  };
}
