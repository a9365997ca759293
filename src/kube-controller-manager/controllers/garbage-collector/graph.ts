import type { ObjectMeta, OwnerReference } from "#api/generated/meta/v1.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";
import { ForegroundWait } from "./foreground-wait.ts";

export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

/** An object in the graph; only what garbage collection looks at. */
export interface GraphNode {
  readonly uid: string;
  /** Undefined as long as only dependents speak of it. */
  resource: DiscoveredResource | undefined;
  namespace: string;
  name: string;
  owners: readonly OwnerReference[];
  /** Made when it has some: hardly any object has. */
  dependents: ReadonlySet<GraphNode>;
  beingDeleted: boolean;
  /** There while it waits in the foreground for its dependents to go. */
  wait: ForegroundWait<GraphNode> | undefined;
  /** Waits for its dependents to be let go. */
  orphaning: boolean;
}

/** What a change in the graph asks for. */
export interface GraphWork {
  /** Look whether these still have an owner, or can finish their deletion. */
  readonly attemptToDelete: Iterable<GraphNode>;
  /** Let go of what depends on these. */
  readonly attemptToOrphan: Iterable<GraphNode>;
  /** Dependents whose owner lives in another namespace. */
  readonly invalidOwners: Iterable<{ readonly node: GraphNode; readonly owner: OwnerReference }>;
}

const NO_OWNERS: readonly OwnerReference[] = [];
const NOBODY: ReadonlySet<GraphNode> = new Set();
const NOTHING: GraphWork = { attemptToDelete: [], attemptToOrphan: [], invalidOwners: [] };

/** Who owns whom, over all resources. After upstream's `GraphBuilder`. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An object appeared or changed. */
  upsert(resource: DiscoveredResource, metadata: ObjectMeta): GraphWork {
    const node = this.#node(metadata.uid ?? "");
    if (metadata.ownerReferences === undefined && metadata.deletionTimestamp === undefined && node.owners.length === 0) {
      this.#settle(node, resource, metadata);
      return NOTHING;
    }
    const toDelete = new Set<GraphNode>();
    const invalidOwners: { node: GraphNode; owner: OwnerReference }[] = [];
    this.#eachWaiting(node, (wait) => wait.remove(node));
    node.resource = resource;
    node.namespace = metadata.namespace ?? "";
    node.name = metadata.name ?? "";
    const before = node.owners;
    node.owners = metadata.ownerReferences ?? [];
    this.#unlink(node, before, toDelete);
    for (const owner of node.owners) {
      if (before.some(({ uid }) => uid === owner.uid)) continue;
      const ownerNode = this.#node(owner.uid);
      addDependent(ownerNode, node);
      const known = ownerNode.resource !== undefined;
      const elsewhere = known && ownerNode.namespace !== "" && ownerNode.namespace !== node.namespace;
      if (elsewhere) invalidOwners.push({ node, owner });
      // Perhaps gone before it was ever seen.
      if (!known || elsewhere || ownerNode.name !== owner.name) toDelete.add(node);
    }
    for (const owner of node.owners) {
      // A dependent that blocks no longer may set its owner free.
      const ownerNode = this.#nodes.get(owner.uid);
      const blocked = before.some(({ uid, blockOwnerDeletion }) => uid === owner.uid && blockOwnerDeletion === true);
      if (blocked && owner.blockOwnerDeletion !== true && ownerNode?.wait) toDelete.add(ownerNode);
    }
    const attemptToOrphan = this.#transition(node, metadata, toDelete);
    this.#eachWaiting(node, (wait) => wait.add(node));
    return { attemptToDelete: toDelete, attemptToOrphan, invalidOwners };
  }

  /** An object is gone. */
  remove(uid: string): GraphWork {
    const node = this.#nodes.get(uid);
    const toDelete = new Set<GraphNode>();
    if (node !== undefined) {
      for (const dependent of node.dependents) toDelete.add(dependent);
      this.#eachWaiting(node, (wait) => wait.remove(node));
      this.#unlink(node, node.owners, toDelete, true);
      node.resource = undefined;
      node.owners = [];
      this.#prune(node);
    }
    return { attemptToDelete: toDelete, attemptToOrphan: [], invalidOwners: [] };
  }

  /** What neither belongs to anybody nor is about to go asks for nothing. */
  #settle(node: GraphNode, resource: DiscoveredResource, { namespace = "", name = "" }: ObjectMeta): void {
    node.resource = resource;
    node.namespace = namespace;
    node.name = name;
    node.beingDeleted = false;
    node.wait = undefined;
    node.orphaning = false;
  }

  #transition(node: GraphNode, { deletionTimestamp, finalizers = [] }: ObjectMeta, toDelete: Set<GraphNode>): GraphNode[] {
    node.beingDeleted = deletionTimestamp !== undefined;
    const foreground = node.beingDeleted && finalizers.includes(FOREGROUND_FINALIZER);
    const orphaning = node.beingDeleted && finalizers.includes(ORPHAN_FINALIZER);
    const startsOrphaning = orphaning && !node.orphaning;
    if (foreground && node.wait === undefined) {
      for (const dependent of node.dependents) toDelete.add(dependent);
      toDelete.add(node);
    }
    node.wait = foreground ? (node.wait ?? new ForegroundWait(node.uid, node.dependents)) : undefined;
    node.orphaning = orphaning;
    return startsOrphaning ? [node] : [];
  }

  /** Takes the node from owners that it no longer names. */
  #unlink(node: GraphNode, before: readonly OwnerReference[], toDelete: Set<GraphNode>, all = false): void {
    for (const { uid } of before) {
      if (!all && node.owners.some((owner) => owner.uid === uid)) continue;
      const owner = this.#nodes.get(uid);
      if (owner === undefined) continue;
      removeDependent(owner, node);
      if (owner.wait) toDelete.add(owner);
      this.#prune(owner);
    }
  }

  /** Those that wait for the node to go, of the owners that it names. */
  #eachWaiting(node: GraphNode, act: (wait: ForegroundWait<GraphNode>) => void): void {
    for (const { uid } of node.owners) {
      const wait = this.#nodes.get(uid)?.wait;
      if (wait !== undefined) act(wait);
    }
  }

  #node(uid: string): GraphNode {
    let node = this.#nodes.get(uid);
    if (node === undefined) {
      node = {
        uid,
        resource: undefined,
        namespace: "",
        name: "",
        owners: NO_OWNERS,
        dependents: NOBODY,
        beingDeleted: false,
        wait: undefined,
        orphaning: false,
      };
      this.#nodes.set(uid, node);
    }
    return node;
  }

  /** Forgets what neither exists nor is spoken of. */
  #prune(node: GraphNode): void {
    if (node.resource === undefined && node.dependents.size === 0) this.#nodes.delete(node.uid);
  }
}

function addDependent(owner: GraphNode, node: GraphNode): void {
  if (owner.dependents === NOBODY) owner.dependents = new Set([node]);
  else (owner.dependents as Set<GraphNode>).add(node);
}

function removeDependent(owner: GraphNode, node: GraphNode): void {
  if (owner.dependents !== NOBODY) (owner.dependents as Set<GraphNode>).delete(node);
}
