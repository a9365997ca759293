import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { metaOf } from "#client/object-meta.ts";
import { type ControllerDefinition, controller } from "../../framework/controller.ts";
import { type DiscoveredResource, Discovery } from "../../framework/discovery.ts";
import { FOREGROUND_FINALIZER, type GraphNode, type GraphWork, OwnerGraph } from "./graph.ts";
import { Monitors } from "./monitors.ts";
import { type Action, type Observed, type ObservedItem, type OwnerState, reconcile } from "./reconcile.ts";

/** Between two looks at which resources there are. */
const DISCOVERY_PERIOD_MS = 30_000;
/** After this long the first look counts as complete. Upstream's `InitialSyncTimeout`. */
const INITIAL_SYNC_MS = 30_000;
/** Owners that the server did not know are remembered, for their other dependents. */
const ABSENT_OWNERS_MAX = 500;
const DELETE = "delete/";
const ORPHAN = "orphan/";

/** Deletes objects whose owners are gone; carries out foreground deletion and orphaning. */
export const garbageCollectorController: ControllerDefinition = {
  name: "garbage-collector-controller",
  workers: 20,
  create({ client, clock, random, recorder, signal }) {
    const graph = new OwnerGraph();
    const discovery = new Discovery(client, clock);
    const absent = new Set<string>();
    let kinds = new Map<string, DiscoveredResource>();
    let enqueue: (key: string, afterMs?: number) => void = () => {};
    const waiting: string[] = [];
    let synced = false;
    const add = (key: string): void => {
      // Before everything is seen once, a missing owner says nothing.
      if (synced) enqueue(key);
      else waiting.push(key);
    };
    const schedule = (work: GraphWork): void => {
      for (const { uid } of work.attemptToDelete) add(DELETE + uid);
      for (const { uid } of work.attemptToOrphan) add(ORPHAN + uid);
      for (const { node, owner } of work.invalidOwners) reportInvalidNamespace(node, owner);
    };
    const monitors = new Monitors({
      client,
      clock,
      random,
      signal,
      sink: {
        upsert: (resource, metadata) => schedule(graph.upsert(resource, metadata)),
        remove(uid) {
          rememberAbsent(uid);
          schedule(graph.remove(uid));
        },
      },
    });

    function rememberAbsent(uid: string): void {
      absent.add(uid);
      for (const oldest of absent) {
        if (absent.size <= ABSENT_OWNERS_MAX) break;
        absent.delete(oldest);
      }
    }

    function reportInvalidNamespace(node: GraphNode, owner: OwnerReference): void {
      if (node.resource === undefined) return;
      const { namespace, name, uid } = node;
      const { id, kind } = node.resource;
      const reference = { kind, apiVersion: formatGroupVersion(id.group, id.version), name, uid };
      const identity = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
      const message = `ownerRef ${identity} does not exist in namespace "${namespace}"`;
      recorder.event(namespace === "" ? reference : { ...reference, namespace }, "Warning", "OwnerRefInvalidNamespace", message);
    }

    async function followDiscovery(): Promise<void> {
      while (!signal.aborted) {
        try {
          const discovered = await discovery.discover(0);
          kinds = new Map(
            discovered.resources.map((resource) => [
              `${formatGroupVersion(resource.id.group, resource.id.version)}/${resource.kind}`,
              resource,
            ]),
          );
          monitors.sync(discovered);
          if (!synced) {
            // One resource that cannot be listed must not stop the rest for ever.
            const seen = new AbortController();
            const late = clock.sleep(INITIAL_SYNC_MS, AbortSignal.any([signal, seen.signal])).catch(() => {});
            await Promise.race([monitors.waitForSync(), late]);
            seen.abort();
            synced = true;
            for (const key of waiting.splice(0)) enqueue(key);
          }
          await clock.sleep(DISCOVERY_PERIOD_MS, signal);
        } catch {
          // The server is not there yet, or the controller stops.
          await clock.sleep(1_000, signal).catch(() => {});
        }
      }
    }

    async function fetchMetadata({ resource, namespace, name }: GraphNode): Promise<ObjectMeta | undefined> {
      if (resource === undefined) return undefined;
      try {
        return metaOf(await client.get<object>(resource.id, namespace, name)) as ObjectMeta;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    }

    /** Undefined for a reference that can never be followed: a cluster-scoped object with a namespaced owner. */
    async function ownerState(node: GraphNode, reference: OwnerReference): Promise<OwnerState | undefined> {
      const resource = kinds.get(`${reference.apiVersion}/${reference.kind}`);
      if (resource === undefined) throw new Error(`no matches for kind "${reference.kind}" in version "${reference.apiVersion}"`);
      if (resource.namespaced && node.namespace === "") return undefined;
      if (absent.has(reference.uid)) return "dangling";
      const namespace = resource.namespaced ? node.namespace : "";
      try {
        const owner = metaOf(await client.get<object>(resource.id, namespace, reference.name));
        if (owner.uid !== reference.uid) return "dangling";
        const waits = owner.deletionTimestamp !== undefined && owner.finalizers?.includes(FOREGROUND_FINALIZER);
        return waits ? "waiting" : "solid";
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return "dangling";
      }
    }

    async function observe(key: string): Promise<Observed | undefined> {
      const node = graph.get(key.slice(key.indexOf("/") + 1));
      if (node?.resource === undefined) return undefined;
      if (key.startsWith(ORPHAN)) return { type: "orphaner", node, metadata: await fetchMetadata(node) };
      if (node.beingDeleted && !node.deletingDependents) return undefined;
      const metadata = await fetchMetadata(node);
      const owners: { reference: OwnerReference; state: OwnerState }[] = [];
      if (metadata?.uid === node.uid && !node.deletingDependents) {
        for (const reference of metadata.ownerReferences ?? []) {
          const state = await ownerState(node, reference);
          if (state === undefined) return undefined;
          owners.push({ reference, state });
        }
      }
      return { type: "item", node, metadata, owners } satisfies ObservedItem;
    }

    /** Changes owners or finalizers of exactly the object that was looked at. */
    async function patchMetadata({ resource, namespace, name }: GraphNode, seen: ObjectMeta, change: object): Promise<void> {
      if (resource === undefined) return;
      const patch = { metadata: { resourceVersion: seen.resourceVersion, uid: seen.uid, ...change } };
      await client.patch(resource.id, namespace, name, "application/merge-patch+json", patch);
    }

    async function orphan(owner: GraphNode): Promise<void> {
      for (const dependent of [...owner.dependents]) {
        const metadata = await fetchMetadata(dependent);
        const rest = metadata?.ownerReferences?.filter(({ uid }) => uid !== owner.uid) ?? [];
        if (metadata === undefined || rest.length === (metadata.ownerReferences?.length ?? 0)) continue;
        await patchMetadata(dependent, metadata, { ownerReferences: rest.length === 0 ? null : rest });
      }
    }

    async function execute(actions: readonly Action[]): Promise<void> {
      for (const action of actions) {
        try {
          await executeOne(action);
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    }

    async function executeOne(action: Action): Promise<void> {
      switch (action.type) {
        case "forget":
          rememberAbsent(action.node.uid);
          schedule(graph.remove(action.node.uid));
          return;
        case "look":
          for (const { uid } of action.nodes) add(DELETE + uid);
          return;
        case "orphanDependents":
          return orphan(action.node);
        case "setOwners":
          return patchMetadata(action.node, action.metadata, { ownerReferences: action.owners });
        case "removeFinalizer": {
          const rest = (action.metadata.finalizers ?? []).filter((finalizer) => finalizer !== action.finalizer);
          return patchMetadata(action.node, action.metadata, { finalizers: rest.length === 0 ? null : rest });
        }
        case "delete": {
          const { resource, namespace, name, uid } = action.node;
          if (resource === undefined) return;
          await client.delete(resource.id, namespace, name, { propagationPolicy: action.policy, preconditions: { uid } });
        }
      }
    }

    return controller<Observed, Action>({
      sources: [],
      start(enqueueKey) {
        enqueue = enqueueKey;
        return followDiscovery().then(() => monitors.ended());
      },
      observe,
      reconcile,
      execute,
    });
  },
};
