import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { ControllerContext } from "../../framework/controller.ts";
import { Discovery } from "../../framework/discovery.ts";
import { AbsentOwners } from "./absent-owners.ts";
import { type GraphNode, type GraphWork, OwnerGraph } from "./graph.ts";
import { LiveObserver } from "./live-observer.ts";
import { Monitors } from "./monitors.ts";
import type { Action, Observed } from "./reconcile.ts";

/** Between two looks at which resources there are. */
const DISCOVERY_PERIOD_MS = 30_000;
/** After a definition changed, until it is looked: several often come together, and each is served a little later. */
const DISCOVERY_SETTLE_MS = 200;
/** Objects of these say which other resources there are. */
const DEFINITIONS: ReadonlySet<string> = new Set([
  "apiextensions.k8s.io/customresourcedefinitions",
  "apiregistration.k8s.io/apiservices",
]);
/** Between a change and a look at whether the object should go. */
const LOOK_DELAY_MS = 25;
/** After this long the first look counts as complete. Upstream's `InitialSyncTimeout`. */
const INITIAL_SYNC_MS = 30_000;
/** Until discovery is asked again after it failed. */
const DISCOVERY_RETRY_MS = 1_000;
const DELETE = "delete/";
const ORPHAN = "orphan/";

/** The graph of owners and what keeps it up to date, and what is done to the objects in it. */
export class GarbageCollector {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #recorder: EventRecorder;
  readonly #signal: AbortSignal;
  readonly #graph = new OwnerGraph();
  readonly #discovery: Discovery;
  readonly #absent = new AbsentOwners();
  readonly #live: LiveObserver;
  readonly #monitors: Monitors;
  /** Keys of the time before everything was seen once: until then a missing owner says nothing. */
  readonly #waiting: string[] = [];
  #enqueue: ((key: string) => void) | undefined;
  /** Aborted when a definition changed since the last look. */
  #changed = new AbortController();

  constructor({ client, clock, random, recorder, signal }: ControllerContext) {
    this.#client = client;
    this.#clock = clock;
    this.#recorder = recorder;
    this.#signal = signal;
    this.#discovery = new Discovery(client, clock);
    this.#live = new LiveObserver(client, this.#absent);
    this.#monitors = new Monitors({
      client,
      clock,
      random,
      signal,
      sink: {
        upsert: (resource, metadata) => {
          if (DEFINITIONS.has(`${resource.id.group}/${resource.id.resource}`)) this.#changed.abort();
          this.#scheduleSoon(this.#graph.upsert(resource, metadata));
        },
        remove: (uid) => this.#remove(uid),
      },
    });
  }

  /** Follows what is served, and watches all of it. Resolves once the context's signal was aborted and every watch has ended. */
  async run(enqueue: (key: string) => void): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        const discovered = await this.#discovery.discover(0);
        this.#live.setResources(discovered.resources);
        this.#monitors.sync(discovered);
        if (this.#enqueue === undefined) await this.#begin(enqueue);
        await this.#untilNextLook();
      } catch {
        // The server is not there yet, or the controller stops.
        await this.#clock.sleep(DISCOVERY_RETRY_MS, this.#signal).catch(() => {});
      }
    }
    await this.#monitors.ended();
  }

  /** What stands behind a key of the queue. */
  async observe(key: string): Promise<Observed | undefined> {
    const node = this.#graph.get(key.slice(key.indexOf("/") + 1));
    if (node?.resource === undefined) return undefined;
    if (!key.startsWith(ORPHAN)) return this.#live.item(node);
    return { type: "orphaner", node, metadata: await this.#live.metadata(node) };
  }

  /** Carries actions out, in order; what is gone already is none the worse for it. */
  async execute(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      try {
        await this.#executeOne(action);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
  }

  /** Lets keys through once everything was seen once. One resource that cannot be listed must not stop the rest for ever. */
  async #begin(enqueue: (key: string) => void): Promise<void> {
    const seen = new AbortController();
    const late = this.#clock.sleep(INITIAL_SYNC_MS, AbortSignal.any([this.#signal, seen.signal])).catch(() => {});
    await Promise.race([this.#monitors.waitForSync(), late]);
    seen.abort();
    this.#enqueue = enqueue;
    // What was there from the beginning was looked at.
    this.#changed = new AbortController();
    for (const key of this.#waiting.splice(0)) enqueue(key);
  }

  /** Upstream looks every thirty seconds and no sooner, so that what new resources own or are owned by waits for that. */
  async #untilNextLook(): Promise<void> {
    await this.#clock.sleep(DISCOVERY_PERIOD_MS, AbortSignal.any([this.#signal, this.#changed.signal])).catch(() => {});
    if (!this.#changed.signal.aborted) return;
    this.#changed = new AbortController();
    await this.#clock.sleep(DISCOVERY_SETTLE_MS, this.#signal);
  }

  #add(key: string): void {
    if (this.#enqueue === undefined) this.#waiting.push(key);
    else this.#enqueue(key);
  }

  /** Lets who has just written read it, as upstream's way over the network to the owner and back does, even if its owner is none. */
  #scheduleSoon(work: GraphWork): void {
    const attemptToDelete = [...work.attemptToDelete];
    this.#schedule({ ...work, attemptToDelete: [] });
    if (attemptToDelete.length === 0) return;
    const look = (): void => attemptToDelete.forEach(({ uid }) => void this.#add(DELETE + uid));
    this.#clock.setTimeout(look, LOOK_DELAY_MS, { unref: true });
  }

  #schedule(work: GraphWork): void {
    for (const { uid } of work.attemptToDelete) this.#add(DELETE + uid);
    for (const { uid } of work.attemptToOrphan) this.#add(ORPHAN + uid);
    for (const { node, owner } of work.invalidOwners) this.#reportInvalidNamespace(node, owner);
  }

  #remove(uid: string): void {
    this.#absent.add(uid);
    this.#schedule(this.#graph.remove(uid));
  }

  #reportInvalidNamespace({ resource, namespace, name, uid }: GraphNode, owner: OwnerReference): void {
    if (resource === undefined) return;
    const { id, kind } = resource;
    const reference = { kind, apiVersion: formatGroupVersion(id.group, id.version), name, uid };
    const identity = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
    const message = `ownerRef ${identity} does not exist in namespace "${namespace}"`;
    const target = namespace === "" ? reference : { ...reference, namespace };
    this.#recorder.event(target, "Warning", "OwnerRefInvalidNamespace", message);
  }

  async #executeOne(action: Action): Promise<void> {
    switch (action.type) {
      case "forget":
        return this.#remove(action.node.uid);
      case "look":
        for (const { uid } of action.nodes) this.#add(DELETE + uid);
        return;
      case "orphanDependents":
        return this.#orphan(action.node);
      case "setOwners":
        return this.#patchMetadata(action.node, action.metadata, { ownerReferences: action.owners });
      case "removeFinalizer": {
        const rest = (action.metadata.finalizers ?? []).filter((finalizer) => finalizer !== action.finalizer);
        return this.#patchMetadata(action.node, action.metadata, { finalizers: rest.length === 0 ? null : rest });
      }
      case "delete": {
        const { resource, namespace, name, uid } = action.node;
        if (resource === undefined) return;
        await this.#client.delete(resource.id, namespace, name, { propagationPolicy: action.policy, preconditions: { uid } });
      }
    }
  }

  async #orphan(owner: GraphNode): Promise<void> {
    for (const dependent of [...owner.dependents]) {
      const metadata = await this.#live.metadata(dependent);
      const rest = metadata?.ownerReferences?.filter(({ uid }) => uid !== owner.uid) ?? [];
      if (metadata === undefined || rest.length === (metadata.ownerReferences?.length ?? 0)) continue;
      await this.#patchMetadata(dependent, metadata, { ownerReferences: rest.length === 0 ? null : rest });
    }
  }

  /** Changes owners or finalizers of exactly the object that was looked at. */
  async #patchMetadata({ resource, namespace, name }: GraphNode, seen: ObjectMeta, change: object): Promise<void> {
    if (resource === undefined) return;
    const patch = { metadata: { resourceVersion: seen.resourceVersion, uid: seen.uid, ...change } };
    await this.#client.patch(resource.id, namespace, name, "application/merge-patch+json", patch);
  }
}
