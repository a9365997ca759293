import type { PersistentVolume, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { CacheEntry } from "#apiserver/cacher/cache-entry.ts";
import { DecodingPace } from "#apiserver/cacher/decoding-pace.ts";
import type { FilteredEvent, ObjectFilter, WatchConsumer } from "#apiserver/cacher/watch-group.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { podReferences } from "./pod-references.ts";

/** Resources whose objects nodes may see when they are related to one of their pods. */
export type RelatedResource =
  | "pods"
  | "secrets"
  | "configmaps"
  | "persistentvolumeclaims"
  | "persistentvolumes"
  | "resourceclaims"
  | "serviceaccounts";

/** The pods, and every later change of them, until the returned function is called. */
export interface PodFeed {
  list(): readonly CacheEntry[];
  watch(filter: ObjectFilter, consumer: WatchConsumer): () => void;
}

/** Marks pods that a node made after files of its own: they give no rights, for the node could write anything there. */
const MIRROR = "kubernetes.io/config.mirror";
const EVERYTHING: ObjectFilter = { namespace: "", name: "", id: "" };

interface Known {
  readonly node: string;
  readonly uid: string;
  readonly keys: readonly string[];
}

/** Pods that were there when the graph began and are still to be taken in. */
interface Waiting {
  readonly entries: readonly CacheEntry[];
  next: number;
  readonly pace: DecodingPace;
  /** A turn has passed for the next one. */
  isPaced: boolean;
  /** Keys of those that have changed since, and are known already. */
  readonly changed: Set<string>;
}

/**
 * Which objects each node's pods refer to, kept up with every change of a pod (upstream's `node.Graph`). Begins when the
 * first node asks: clusters without kubelets pay nothing. What is there then may be many pods that nobody has decoded: they are taken in in
 * pieces for who can wait, and at once for who cannot.
 */
export class NodeGraph {
  readonly #stores: Stores;
  readonly #pods: () => PodFeed;
  /** Node, object, and how many of the node's pods refer to it. */
  #nodes = new Map<string, Map<string, number>>();
  #known = new Map<string, Known>();
  #following = false;
  #waiting: Waiting | undefined;
  #filling: Promise<void> | undefined;

  constructor(stores: Stores, pods: () => PodFeed) {
    this.#stores = stores;
    this.#pods = pods;
  }

  /** Lets requests be answered while pods are taken in; undefined when all are. */
  ready(): Promise<void> | undefined {
    this.#follow();
    const waiting = this.#waiting;
    if (waiting === undefined || this.#filling !== undefined) return this.#filling;
    const pause = this.#takeIn(waiting);
    if (pause === undefined) return undefined;
    this.#filling = this.#fill(waiting, pause).finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** Whether there is a way from the object to the node. `namespace` is empty for what lies in none. */
  isRelated(node: string, resource: RelatedResource, namespace: string, name: string): boolean {
    this.#follow();
    while (this.#waiting !== undefined) void this.#takeIn(this.#waiting);
    const keys = this.#nodes.get(node);
    if (keys === undefined) return false;
    if (resource === "persistentvolumes") return this.#hasVolume(keys, name);
    if (keys.has(keyOf(resource, namespace, name))) return true;
    return resource === "secrets" && this.#isSecretOfVolume(keys, namespace, name);
  }

  #hasVolume(keys: ReadonlyMap<string, number>, name: string): boolean {
    const volume = this.#stores.of<PersistentVolume>("", "persistentvolumes").cached("", name);
    const claim = volume?.spec?.claimRef;
    return claim !== undefined && keys.has(keyOf("persistentvolumeclaims", claim.namespace ?? "", claim.name ?? ""));
  }

  #isSecretOfVolume(keys: ReadonlyMap<string, number>, namespace: string, name: string): boolean {
    const claims = this.#stores.of<PersistentVolumeClaim>("", "persistentvolumeclaims");
    const volumes = this.#stores.of<PersistentVolume>("", "persistentvolumes");
    for (const key of keys.keys()) {
      const [resource, claimNamespace = "", claimName = ""] = key.split("/");
      if (resource !== "persistentvolumeclaims") continue;
      const volumeName = claims.cached(claimNamespace, claimName)?.spec?.volumeName ?? "";
      const volume = volumeName === "" ? undefined : volumes.cached("", volumeName);
      if (volume?.spec?.claimRef?.namespace !== claimNamespace || volume.spec.claimRef.name !== claimName) continue;
      const refersTo = secretsOfVolume(volume, claimNamespace);
      if (refersTo.some((secret) => secret.namespace === namespace && secret.name === name)) return true;
    }
    return false;
  }

  #follow(): void {
    if (this.#following) return;
    this.#following = true;
    this.#nodes = new Map();
    this.#known = new Map();
    const feed = this.#pods();
    this.#waiting = { entries: feed.list(), next: 0, pace: new DecodingPace(), isPaced: false, changed: new Set() };
    feed.watch(EVERYTHING, {
      onEvents: (events) => {
        for (const event of events) this.#apply(event);
      },
      onEnd: () => {
        this.#following = false;
      },
    });
  }

  async #fill(waiting: Waiting, first: Promise<void>): Promise<void> {
    for (let pause: Promise<void> | undefined = first; pause !== undefined; ) {
      await pause;
      pause = this.#waiting === waiting ? this.#takeIn(waiting) : undefined;
    }
  }

  /** Takes in pods until there are no more, or until others are to have their turn: what is to be awaited then. */
  #takeIn(waiting: Waiting): Promise<void> | undefined {
    for (let entry = waiting.entries[waiting.next]; entry !== undefined; entry = waiting.entries[++waiting.next]) {
      const pause = waiting.isPaced ? undefined : waiting.pace.before(entry);
      waiting.isPaced = pause !== undefined;
      if (pause !== undefined) return pause;
      if (!waiting.changed.has(entry.key)) this.#addEntry(entry);
    }
    this.#waiting = undefined;
    return undefined;
  }

  /** What is bytes only stays so. */
  #addEntry(entry: CacheEntry): void {
    const { isDecoded } = entry;
    this.#add(entry.object as unknown as Pod);
    if (!isDecoded) entry.release();
  }

  #apply({ type, entry }: FilteredEvent): void {
    this.#waiting?.changed.add(entry.key);
    if (type !== "DELETED") this.#add(entry.object as unknown as Pod);
    else this.#remove(keyOf("pods", entry.namespace, entry.name));
  }

  #add(pod: Pod): void {
    const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
    const key = keyOf("pods", namespace, name);
    const node = pod.spec?.nodeName ?? "";
    const before = this.#known.get(key);
    // What a pod refers to does not change, but for claims that are made for it.
    if (before?.node === node && before.uid === uid && (pod.spec?.resourceClaims ?? []).length === 0) return;
    this.#remove(key);
    if (node === "") return;
    const keys = [key, ...(pod.metadata?.annotations?.[MIRROR] === undefined ? referencesOf(pod) : [])];
    this.#known.set(key, { node, uid, keys });
    let counts = this.#nodes.get(node);
    if (counts === undefined) {
      counts = new Map();
      this.#nodes.set(node, counts);
    }
    for (const object of keys) counts.set(object, (counts.get(object) ?? 0) + 1);
  }

  #remove(key: string): void {
    const known = this.#known.get(key);
    const counts = known === undefined ? undefined : this.#nodes.get(known.node);
    if (known === undefined || counts === undefined) return;
    this.#known.delete(key);
    for (const object of known.keys) {
      const left = (counts.get(object) ?? 0) - 1;
      if (left > 0) counts.set(object, left);
      else counts.delete(object);
    }
    if (counts.size === 0) this.#nodes.delete(known.node);
  }
}

function referencesOf(pod: Pod): string[] {
  const namespace = pod.metadata?.namespace ?? "";
  const references = podReferences(pod);
  return (["secrets", "configmaps", "persistentvolumeclaims", "serviceaccounts", "resourceclaims"] as const).flatMap((resource) =>
    [...new Set(references[resource])].map((name) => keyOf(resource, namespace, name)),
  );
}

/** Upstream's `VisitPVSecretNames`: Secrets that a volume is mounted with; by default they lie where the claim does. */
function secretsOfVolume({ spec }: PersistentVolume, claimNamespace: string): { namespace: string; name: string }[] {
  const named = [
    spec?.cephfs?.secretRef,
    spec?.cinder?.secretRef,
    spec?.flexVolume?.secretRef,
    spec?.rbd?.secretRef,
    spec?.scaleIO?.secretRef,
    spec?.iscsi?.secretRef,
    spec?.storageos?.secretRef,
    spec?.csi?.controllerPublishSecretRef,
    spec?.csi?.nodePublishSecretRef,
    spec?.csi?.nodeStageSecretRef,
    spec?.csi?.nodeExpandSecretRef,
  ];
  const found = named.flatMap((ref) => (ref?.name ? [{ namespace: ref.namespace || claimNamespace, name: ref.name }] : []));
  const azure = spec?.azureFile;
  if (azure?.secretName) found.push({ namespace: azure.secretNamespace || claimNamespace, name: azure.secretName });
  return found;
}

function keyOf(resource: string, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}
