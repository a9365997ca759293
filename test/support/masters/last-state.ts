import type { ReplicaSet } from "#api/generated/apps/v1.ts";
import type { ConfigMap, Endpoints, Pod } from "#api/generated/core/v1.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { Operation } from "../history/operation.ts";
import { wrongNumbers } from "../history/replicas.ts";
import type { ListedObject, WatchedSegment } from "../history/watched.ts";
import { eventually } from "../kubectl.ts";
import { CONFIG_MAPS, PLACES, type Place, PODS, RECOVERY_MS, type Seen } from "./seen.ts";

const REPLICA_SETS: ResourceId = { group: "apps", version: "v1", resource: "replicasets" };
const ENDPOINTS: ResourceId = { group: "", version: "v1", resource: "endpoints" };
/** The last object that is written: who was told of it was told of all. */
const LAST = "the-last";

/** Resolves when Deployments have as many pods as they should, which run, and every server is named in `default/kubernetes`. */
export async function settled({ masters, namespace, wanted }: Seen, client: Client): Promise<void> {
  const last = new Map([...wanted].map(([name, numbers]) => [name, numbers.at(-1)?.replicas ?? 0]));
  const servers = masters.apiServers.map(({ host }) => host.ip).sort();
  const state = async (): Promise<string> => {
    const pods = (await client.list<Pod>(PODS, namespace)).items;
    const sets = (await client.list<ReplicaSet>(REPLICA_SETS, namespace)).items;
    const { subsets = [] } = await client.get<Endpoints>(ENDPOINTS, "default", "kubernetes");
    const named = subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)).sort();
    const wrong = wrongNumbers(
      last,
      pods.map(({ metadata, status }) => ({ app: metadata.labels?.app ?? "", runs: status?.phase === "Running" })),
      sets.map(({ metadata }) => metadata?.labels?.app ?? ""),
    );
    if (named.join() !== servers.join()) wrong.push(`default/kubernetes names ${named.join()}, not ${servers.join()}`);
    return wrong.join("; ");
  };
  let told = "";
  const isSettled = async (): Promise<boolean> => {
    told = await state();
    return told === "";
  };
  await eventually(isSettled, RECOVERY_MS, "Deployments").catch((error: unknown) => {
    throw new Error(`${error} ${told}\n${masters.tails()}`);
  });
}

interface LastList {
  readonly place: Place;
  readonly revision: number;
  readonly objects: ReadonlyMap<string, ListedObject>;
  readonly invoked: number;
  readonly returned: number;
}

/**
 * Reads all objects in the end, everywhere: every server must show what etcd holds. What is read is added to the histories, so that
 * nothing that was acknowledged may be missing; and is answered, so that watchers must have been told of it.
 */
export async function lastLists(seen: Seen): Promise<{ readonly wrong: string[]; readonly segments: readonly WatchedSegment[] }> {
  const read = async (): Promise<
    { readonly stored: ReadonlyMap<string, number>; readonly lists: readonly LastList[] } | undefined
  > => {
    const stored = await storedRevisions(seen);
    const lists = await Promise.all(PLACES.map((place) => listedAt(seen, place)));
    // What nobody knew the end of may still have come to one.
    const after = await storedRevisions(seen);
    return shownRevisions(stored) === shownRevisions(after) ? { stored, lists } : undefined;
  };
  const { stored = new Map(), lists = [] } = (await eventually(read, RECOVERY_MS, "nothing is written any more")) ?? {};
  const want = shownRevisions(stored);
  const wrong: string[] = [];
  for (const { place, objects, invoked, returned } of lists) {
    const shown = shownRevisions(new Map([...objects].map(([key, { revision }]) => [key, revision])));
    if (shown !== want) wrong.push(`${place} shows ${shown} where etcd holds ${want}`);
    for (const key of seen.recording.operations.keys()) {
      const outcome: Operation["outcome"] = { kind: "ok", value: objects.get(key)?.value };
      seen.recording.add(key, { client: `the last list at ${place}`, call: { kind: "read" }, outcome, invoked, returned });
    }
  }
  const segments = lists.map(({ place, revision, objects }) => {
    return { watcher: `the last list at ${place}`, start: objects, from: revision, events: [], until: revision };
  });
  return { wrong, segments };
}

/** By etcd itself: the revision of each object's last change. */
async function storedRevisions({ masters, namespace }: Seen): Promise<ReadonlyMap<string, number>> {
  const prefix = `/registry/configmaps/${namespace}/`;
  const { kvs = [] } = JSON.parse(await masters.ctl("get", prefix, "--prefix", "--write-out=json")) as {
    readonly kvs?: readonly { readonly key: string; readonly mod_revision: number }[];
  };
  return new Map(kvs.map(({ key, mod_revision }) => [Buffer.from(key, "base64").toString().slice(prefix.length), mod_revision]));
}

function shownRevisions(revisions: ReadonlyMap<string, number>): string {
  return JSON.stringify([...revisions].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function listedAt({ masters, namespace }: Seen, place: Place): Promise<LastList> {
  const client = masters.client(place);
  const invoked = performance.now();
  const { items, metadata } = await client.list<ConfigMap>(CONFIG_MAPS, namespace);
  const returned = performance.now();
  client.close();
  const objects = new Map(
    items.map(({ metadata: own, data }) => {
      return [own?.name ?? "", { revision: Number(own?.resourceVersion), value: data?.value ?? "" }] as const;
    }),
  );
  return { place, revision: Number(metadata.resourceVersion), objects, invoked, returned };
}

/** Watchers are told of everything, the last thing too; whoever is not has lost its watch without a word. */
export async function allTold({ namespace, watchers, leases, pods }: Seen, client: Client): Promise<readonly string[]> {
  const last: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: LAST }, data: { value: LAST } };
  const write = async (): Promise<ConfigMap> => {
    await client.create(CONFIG_MAPS, namespace, last).catch(() => undefined);
    return client.get<ConfigMap>(CONFIG_MAPS, namespace, LAST);
  };
  const { metadata } = await eventually(write, RECOVERY_MS, "the last object is written");
  const revision = Number(metadata?.resourceVersion);
  // Leases are renewed all the time. Pods do not change any more.
  const changed = (await client.list<Pod>(PODS, namespace)).items.map((pod) => Number(pod.metadata.resourceVersion));
  const until = [
    ...[...watchers, ...Object.values(leases)].map((watcher) => ({ watcher, revision })),
    { watcher: pods, revision: Math.max(0, ...changed) },
  ];
  const behind = (): string[] =>
    until.flatMap((one) =>
      one.watcher.until >= one.revision ? [] : [`${one.watcher.name} was told until ${one.watcher.until}`],
    );
  await eventually(() => behind().length === 0, RECOVERY_MS, "all is told").catch(() => undefined);
  return behind().map((text) => `${text}, not of ${revision}`);
}
