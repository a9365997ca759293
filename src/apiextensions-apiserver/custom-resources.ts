import { setMaxListeners } from "node:events";
import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { RequestMetrics } from "#apiserver/metrics/request-metrics.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { WebhookClient } from "#apiserver/webhook/webhook-client.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { SharedInformer } from "#client/informer.ts";
import { RateLimitingQueue } from "#client/work-queue.ts";
import type { ConversionMetrics } from "./conversion/conversion-metrics.ts";
import type { ConversionModules } from "./conversion/webhook-converter.ts";
import { customResource, type VersionCodecs, versionCodecs } from "./custom-resource/resource.ts";
import { withApproval } from "./definition/approval-condition.ts";
import { isTrue, withCondition } from "./definition/conditions.ts";
import { acceptNames } from "./definition/naming.ts";
import { CLEANUP_FINALIZER } from "./definition/strategy.ts";
import { type ServingProgress, servedState } from "./serving-progress.ts";
import { loadPatterns } from "./validation/patterns.ts";

/** Options of {@link startCustomResources}. */
export interface CustomResourcesOptions {
  readonly stores: StoreRegistry;
  /** Told what is served. */
  readonly progress: ServingProgress;
  /** May do everything with definitions and with their objects. */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Calls conversion webhooks. */
  readonly webhooks: WebhookClient;
  readonly conversionMetrics: ConversionMetrics;
  /** Told which resources come and go. */
  readonly requestMetrics: Pick<RequestMetrics, "expect" | "forget">;
  /** A definition that cannot be served just now; it is tried again. */
  readonly onError?: (definition: string, error: unknown) => void;
}

const DEFINITIONS: ResourceId = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };

/** Definitions that are looked at together; those of one group one after the other, since they compete for names. */
const WORKERS = 8;

/** Between looks at objects that have finalizers of their own, while their definition goes. */
const CLEANUP_RETRY_MS = 500;
/** Definitions by their group. */
const GROUP_INDEX = "byGroup";
/** Those by their group that have not (yet) the names that they want. */
const WANTING_INDEX = "wantingNames";

/**
 * Serves what CustomResourceDefinitions define, from when their names are accepted until they are gone with all their
 * objects. Resolves when the definitions that the store holds are served. Ends with the signal.
 */
export async function startCustomResources(options: CustomResourcesOptions): Promise<void> {
  const { client, clock, random, signal } = options;
  const ending = AbortSignal.any([signal]);
  setMaxListeners(0, ending);
  const definitions = new SharedInformer<CustomResourceDefinition>(DEFINITIONS, {}, { client, clock, random });
  const queue = new RateLimitingQueue({ clock });
  definitions.addIndex(GROUP_INDEX, ({ spec }) => [spec.group]);
  definitions.addIndex(WANTING_INDEX, ({ spec, status }) =>
    semanticEqual(spec.names, status?.acceptedNames) ? [] : [spec.group],
  );
  // Names that one had may be had by others now; those that have what they want are as they were.
  const lookAgain = (changed: CustomResourceDefinition): void => {
    queue.add(changed.metadata.name ?? "");
    for (const other of definitions.byIndex(WANTING_INDEX, changed.spec.group)) queue.add(other.metadata.name ?? "");
  };
  definitions.addHandler({
    onAdd: ({ metadata }) => queue.add(metadata.name ?? ""),
    onUpdate: (old, now) => {
      if (semanticEqual(old.status?.acceptedNames, now.status?.acceptedNames)) queue.add(now.metadata.name ?? "");
      else lookAgain(now);
    },
    onDelete: lookAgain,
  });
  signal.addEventListener("abort", () => queue.shutDown(), { once: true });
  void definitions.run(ending);
  await Promise.race([definitions.waitForSync(), ended(signal)]);
  const worker = new DefinitionWorker(options, definitions);
  for (const { metadata } of definitions.lister.list()) await worker.sync(metadata.name ?? "").catch(() => undefined);
  const work = async (): Promise<void> => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      try {
        const againMs = await worker.sync(name);
        queue.forget(name);
        if (againMs !== undefined) queue.addAfter(name, againMs);
      } catch (error) {
        noteDefect("a CustomResourceDefinition", error);
        queue.addRateLimited(name);
        // What the end of the server interrupts is done by the next one.
        if (!isConflict(error) && !signal.aborted) options.onError?.(name, error);
      }
      queue.done(name);
    }
  };
  for (let i = 0; i < WORKERS; i++) void work();
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface Served {
  /** Another state is served anew. */
  readonly state: string;
  /** In another shape, stored objects are read anew. */
  readonly shape: string;
  readonly readStored: ResourceDefinition["readStored"];
  readonly codecs: VersionCodecs;
  readonly group: string;
  readonly plural: string;
}

const DELETING = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};

const DELETED = {
  type: "Terminating",
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};

const NEVER_ESTABLISHED = {
  type: "Terminating",
  status: "False",
  reason: "NeverEstablished",
  message: "resource was never established",
};

class DefinitionWorker {
  readonly #options: CustomResourcesOptions;
  readonly #definitions: SharedInformer<CustomResourceDefinition>;
  readonly #served = new Map<string, Served>();
  /** As they were last written here: the informer may not have seen it yet, and names must not be given twice. */
  readonly #written = new Map<string, CustomResourceDefinition>();
  /** The last that is under way, by group. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: CustomResourcesOptions, definitions: SharedInformer<CustomResourceDefinition>) {
    this.#options = options;
    this.#definitions = definitions;
  }

  /** Brings what is served in line with one definition. Resolves to the time after which to look again, in milliseconds. */
  async sync(name: string): Promise<number | undefined> {
    const group = name.slice(name.indexOf(".") + 1);
    const before = this.#turns.get(group);
    const turn = (async () => {
      await before?.catch(() => undefined);
      return this.#sync(name);
    })();
    this.#turns.set(group, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(group) === turn) this.#turns.delete(group);
    }
  }

  async #sync(name: string): Promise<number | undefined> {
    const definition = this.#definitions.lister.get("", name);
    if (definition === undefined) {
      this.#written.delete(name);
      this.#unserve(name);
      return undefined;
    }
    const going = definition.metadata.deletionTimestamp !== undefined;
    // Forgets what was written here once the informer has seen it.
    this.#newest(definition);
    if (!going) {
      const now = formatTime(this.#options.clock.now());
      const status = withApproval(definition, acceptNames(definition, this.#knownIn(definition.spec.group), now), now);
      // Comes back as a change.
      if (!semanticEqual(status, definition.status)) return void (await this.#updateStatus(definition, status));
    }
    if (isTrue(definition, "Established")) {
      // Nobody waits for what cannot be served.
      await this.#serve(name, definition).finally(() => this.#options.progress.settle(name, servedState(definition)));
    }
    return going ? this.#cleanUp(definition) : undefined;
  }

  async #serve(name: string, definition: CustomResourceDefinition): Promise<void> {
    const { uid, generation } = definition.metadata;
    const { group } = definition.spec;
    const shape = JSON.stringify([uid, generation]);
    const state = servedState(definition);
    const served = this.#served.get(name);
    if (served?.state === state) return;
    const [patterns] = await Promise.all([loadPatterns(), loadKubernetesCel()]);
    const alike = served?.shape === shape;
    const codecs = alike ? served.codecs : versionCodecs(definition, this.#conversion());
    const { definition: resource, schemaFor } = customResource(definition, patterns, codecs);
    if (served !== undefined && served.plural !== resource.plural) this.#unserve(name);
    const readStored = alike ? served.readStored : resource.readStored;
    this.#options.requestMetrics.expect(group, resource.plural);
    await this.#options.stores.add({ ...resource, ...(readStored !== undefined && { readStored }) }, schemaFor);
    this.#served.set(name, { state, shape, readStored, codecs, group, plural: resource.plural });
  }

  #conversion(): ConversionModules {
    const { webhooks, clock, random, conversionMetrics: metrics, signal } = this.#options;
    return { webhooks, clock, random, metrics, signal };
  }

  #unserve(name: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    this.#options.progress.settle(name, undefined);
    this.#options.stores.remove(served.group, served.plural);
    this.#options.requestMetrics.forget(served.group, served.plural);
  }

  /** Deletes all objects, then lets the definition go. */
  async #cleanUp(definition: CustomResourceDefinition): Promise<number | undefined> {
    const { name = "", finalizers = [] } = definition.metadata;
    if (!finalizers.includes(CLEANUP_FINALIZER)) return undefined;
    const now = formatTime(this.#options.clock.now());
    if (!definition.status?.conditions?.some(({ reason }) => reason === DELETING.reason)) {
      // Comes back as a change.
      return void (await this.#updateStatus(definition, withCondition(definition.status ?? {}, DELETING, now)));
    }
    const served = this.#served.get(name);
    const left = served === undefined ? 0 : await this.#deleteObjects(served);
    if (left > 0) return CLEANUP_RETRY_MS;
    const done = isTrue(definition, "Established") ? DELETED : NEVER_ESTABLISHED;
    const status = withCondition(definition.status ?? {}, done, now);
    const cleaned = await this.#updateStatus(definition, status);
    const metadata = { ...cleaned.metadata, finalizers: finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER) };
    await this.#options.client.update(DEFINITIONS, "", name, { ...cleaned, metadata });
    return undefined;
  }

  /** How many are still there. */
  async #deleteObjects({ group, plural }: Served): Promise<number> {
    const store = this.#options.stores.generic(group, plural);
    const id: ResourceId = { group, version: store.definition.version, resource: plural };
    const { stored } = store.core;
    // Whatever version each is stored in: their names are enough.
    const objects = stored.range(stored.tree, stored.prefix);
    for (const { metadata } of objects) {
      if (metadata.deletionTimestamp !== undefined) continue;
      try {
        await this.#options.client.delete(id, metadata.namespace ?? "", metadata.name ?? "");
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return stored.count(stored.tree, stored.prefix, stored.prefix);
  }

  async #updateStatus(
    definition: CustomResourceDefinition,
    status: NonNullable<CustomResourceDefinition["status"]>,
  ): Promise<CustomResourceDefinition> {
    const { name = "" } = definition.metadata;
    const changed = { ...definition, status };
    const written = await this.#options.client.update<CustomResourceDefinition>(DEFINITIONS, "", name, changed, {
      subresource: "status",
    });
    this.#written.set(name, written);
    return written;
  }

  /** The definitions of a group, as new as they are known; found out when the first is asked for. */
  *#knownIn(group: string): Generator<CustomResourceDefinition> {
    for (const definition of this.#definitions.byIndex(GROUP_INDEX, group)) yield this.#newest(definition);
  }

  /** What was written here, as long as the informer has not seen it. */
  #newest(definition: CustomResourceDefinition): CustomResourceDefinition {
    const { name = "", uid, resourceVersion } = definition.metadata;
    const written = this.#written.get(name);
    if (written === undefined) return definition;
    const newer = Number(written.metadata.resourceVersion) > Number(resourceVersion);
    if (newer && written.metadata.uid === uid) return written;
    this.#written.delete(name);
    return definition;
  }
}
