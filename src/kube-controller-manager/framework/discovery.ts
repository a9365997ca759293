import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";

/** A resource as discovery tells it. */
export interface DiscoveredResource {
  readonly id: ResourceId;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Of the version that the group prefers. */
  readonly preferred: boolean;
}

/** One look at what the server serves. */
export interface Discovered {
  readonly resources: readonly DiscoveredResource[];
  /** By `group/version`: why it could not be read. */
  readonly failures: ReadonlyMap<string, string>;
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
    readonly group?: string;
    readonly version?: string;
  }[];
}

/** Reads discovery, and keeps the answer for a while. */
export class Discovery {
  readonly #client: Client;
  readonly #clock: Clock;
  #last: { readonly atMs: number; readonly result: Promise<Discovered> } | undefined;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Not older than `maxAgeMs`. Rejects only when the list of groups cannot be read. */
  discover(maxAgeMs: number): Promise<Discovered> {
    const now = this.#clock.elapsed();
    if (this.#last !== undefined && now - this.#last.atMs <= maxAgeMs) return this.#last.result;
    const result = discover(this.#client);
    const last = { atMs: now, result };
    this.#last = last;
    result.catch(() => {
      if (this.#last === last) this.#last = undefined;
    });
    return result;
  }
}

async function discover(client: Client): Promise<Discovered> {
  const groups = (await client.raw("/apis")) as GroupList;
  const versions = (groups.groups ?? []).flatMap((group) =>
    group.versions.map(({ groupVersion }) => ({
      groupVersion,
      path: `/apis/${groupVersion}`,
      preferred: groupVersion === group.preferredVersion?.groupVersion,
    })),
  );
  versions.unshift({ groupVersion: "v1", path: "/api/v1", preferred: true });
  const failures = new Map<string, string>();
  const lists = await Promise.all(
    versions.map(async ({ groupVersion, path, preferred }) => {
      try {
        return toResources((await client.raw(path)) as ResourceList, groupVersion, preferred);
      } catch (error) {
        failures.set(groupVersion, error instanceof Error ? error.message : String(error));
        return [];
      }
    }),
  );
  return { resources: lists.flat(), failures };
}

function toResources(list: ResourceList, groupVersion: string, preferred: boolean): DiscoveredResource[] {
  const { group, version } = parseGroupVersion(groupVersion);
  return (list.resources ?? [])
    .filter(({ name }) => !name.includes("/"))
    .map(({ name, kind, namespaced, verbs }) => ({
      id: { group, version, resource: name },
      kind,
      namespaced,
      verbs,
      preferred,
    }));
}
