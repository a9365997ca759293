import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { Client } from "#client/client.ts";
import { metaOf } from "#client/object-meta.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";
import type { AbsentOwners } from "./absent-owners.ts";
import { FOREGROUND_FINALIZER, type GraphNode } from "./graph.ts";
import type { Observed, OwnerState } from "./reconcile.ts";

/** Looks at objects and their owners on the server itself: what the graph says may be old, and a deletion is for ever. */
export class LiveObserver {
  readonly #client: Client;
  readonly #absent: AbsentOwners;
  /** By `apiVersion/kind`. */
  #kinds: ReadonlyMap<string, DiscoveredResource> = new Map();

  constructor(client: Client, absent: AbsentOwners) {
    this.#client = client;
    this.#absent = absent;
  }

  /** What there is to refer to, from now on. */
  setResources(resources: readonly DiscoveredResource[]): void {
    const entries = resources.map((resource) => {
      const { group, version } = resource.id;
      return [`${formatGroupVersion(group, version)}/${resource.kind}`, resource] as const;
    });
    this.#kinds = new Map(entries);
  }

  /** The metadata of the object behind a node; undefined when it is gone. */
  async metadata({ resource, namespace, name }: GraphNode): Promise<ObjectMeta | undefined> {
    if (resource === undefined) return undefined;
    try {
      return metaOf(await this.#client.get<object>(resource.id, namespace, name)) as ObjectMeta;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** A node, and what became of its owners; undefined when nothing can be decided. */
  async item(node: GraphNode): Promise<Observed | undefined> {
    if (node.beingDeleted && node.wait === undefined) return undefined;
    const metadata = await this.metadata(node);
    const owners: { reference: OwnerReference; state: OwnerState }[] = [];
    if (metadata?.uid === node.uid && node.wait === undefined) {
      for (const reference of metadata.ownerReferences ?? []) {
        const state = await this.#ownerState(node, reference);
        if (state === undefined) return undefined;
        owners.push({ reference, state });
      }
    }
    return { type: "item", node, metadata, owners };
  }

  /** Undefined for a reference that can never be followed: a cluster-scoped object with a namespaced owner. */
  async #ownerState(node: GraphNode, reference: OwnerReference): Promise<OwnerState | undefined> {
    const resource = this.#kinds.get(`${reference.apiVersion}/${reference.kind}`);
    if (resource === undefined) throw new Error(`no matches for kind "${reference.kind}" in version "${reference.apiVersion}"`);
    if (resource.namespaced && node.namespace === "") return undefined;
    if (this.#absent.has(reference.uid)) return "dangling";
    const namespace = resource.namespaced ? node.namespace : "";
    try {
      const owner = metaOf(await this.#client.get<object>(resource.id, namespace, reference.name));
      if (owner.uid !== reference.uid) return "dangling";
      const waits = owner.deletionTimestamp !== undefined && owner.finalizers?.includes(FOREGROUND_FINALIZER);
      return waits ? "waiting" : "solid";
    } catch (error) {
      if (!isNotFound(error)) throw error;
      return "dangling";
    }
  }
}
