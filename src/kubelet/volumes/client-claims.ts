import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Client } from "#client/client.ts";
import type { ClaimSources } from "./claims.ts";

/** What {@link clientClaims} uses. */
export interface ClientClaimsModules {
  readonly client: Pick<Client, "get">;
  /** The node's own object, as it is known here. */
  readonly node: () => Node | undefined;
}

/** Reads claims and persistent volumes through a client, each time anew: a claim may be bound at any moment. */
export function clientClaims({ client, node }: ClientClaimsModules): ClaimSources {
  const get = async <T extends object>(resource: string, namespace: string, name: string): Promise<T | undefined> =>
    client.get<T>({ group: "", version: "v1", resource }, namespace, name).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  return {
    claim: (namespace, name) => get<PersistentVolumeClaim>("persistentvolumeclaims", namespace, name),
    persistentVolume: (name) => get<PersistentVolume>("persistentvolumes", "", name),
    node: async () => node(),
  };
}
