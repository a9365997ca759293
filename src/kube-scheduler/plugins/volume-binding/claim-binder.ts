import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { referenceTo } from "#client/event-target.ts";
import { BOUND_BY_CONTROLLER, SELECTED_NODE } from "#component-helpers/storage/annotations.ts";
import { refersToClaim } from "#component-helpers/storage/volume-matching.ts";
import type { ClusterLister } from "../../framework/cluster-lister.ts";
import type { PodInfo } from "../../framework/pod-info.ts";
import type { NodeVolumes } from "./node-volumes.ts";
import { isBound, type PodClaims } from "./pod-claims.ts";

const CLAIMS: ResourceId = { group: "", version: "v1", resource: "persistentvolumeclaims" };
const VOLUMES: ResourceId = { group: "", version: "v1", resource: "persistentvolumes" };
/** How long a pod waits for its volumes before another node is tried; upstream's `bindTimeoutSeconds`. */
const BIND_TIMEOUT_MS = 600_000;
/** How often it is looked whether claims are bound. */
const POLL_MS = 100;

/** Asks for the volumes of a pod that has its node, and waits until the claims have them. Throws when that fails. */
export class ClaimBinder {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #cluster: ClusterLister;

  constructor(options: { client: Client; clock: Clock; cluster: ClusterLister }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#cluster = options.cluster;
  }

  async bind(pod: PodInfo, claims: PodClaims, volumes: NodeVolumes, nodeName: string, signal: AbortSignal): Promise<void> {
    for (const { claim, volume } of volumes.bindings) await this.#promise(volume, claim);
    for (const claim of volumes.provisions) await this.#select(claim, nodeName);
    const selected = new Set(volumes.provisions.map(({ metadata }) => metadata.uid));
    const endMs = this.#clock.elapsed() + BIND_TIMEOUT_MS;
    while (!claims.waiting.every((claim) => this.#isBound(pod, claim, selected, nodeName))) {
      if (this.#clock.elapsed() >= endMs) throw new Error("binding volumes: context deadline exceeded");
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  /** The volume points at the claim; the volume controller does the rest. */
  async #promise(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const { name = "", annotations = {} } = volume.metadata;
    const marked = refersToClaim(volume, claim) ? annotations : { ...annotations, [BOUND_BY_CONTROLLER]: "yes" };
    const claimRef = referenceTo("v1", "PersistentVolumeClaim", claim);
    const metadata = { ...volume.metadata, annotations: marked };
    await this.#client.update<PersistentVolume>(VOLUMES, "", name, { ...volume, metadata, spec: { ...volume.spec, claimRef } });
  }

  /** Whoever makes the volume has to know where it is needed. */
  async #select(claim: PersistentVolumeClaim, nodeName: string): Promise<void> {
    const { namespace = "", name = "", annotations = {} } = claim.metadata;
    if (annotations[SELECTED_NODE] === nodeName) return;
    const metadata = { ...claim.metadata, annotations: { ...annotations, [SELECTED_NODE]: nodeName } };
    await this.#client.update<PersistentVolumeClaim>(CLAIMS, namespace, name, { ...claim, metadata });
  }

  #isBound({ pod }: PodInfo, { metadata }: PersistentVolumeClaim, selected: ReadonlySet<unknown>, nodeName: string): boolean {
    const { namespace = "", name = "" } = metadata;
    if (this.#cluster.pod(pod.metadata.namespace ?? "", pod.metadata.name ?? "")?.metadata.uid !== pod.metadata.uid) {
      throw new Error(`pod does not exist any more: pod "${pod.metadata.name}" not found`);
    }
    const claim = this.#cluster.claim(namespace, name);
    if (claim === undefined) throw new Error(`failed to get pvc from API server: persistentvolumeclaim "${name}" not found`);
    if (isBound(claim)) return true;
    // Who cannot make a volume for the node takes the annotation away, so that another node is tried. What is seen may
    // be older than this scheduler's own write.
    const own = claim.metadata.resourceVersion !== metadata.resourceVersion;
    if (own && selected.has(metadata.uid) && claim.metadata.annotations?.[SELECTED_NODE] !== nodeName) {
      const seen = claim.metadata.annotations?.[SELECTED_NODE] ?? "";
      throw new Error(`selectedNode annotation value "${seen}" not set to scheduled node "${nodeName}"`);
    }
    return false;
  }
}
