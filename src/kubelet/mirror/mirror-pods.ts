import type { Node, Pod, PodStatus } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import { CONFIG_HASH_ANNOTATION, CONFIG_MIRROR_ANNOTATION, fullNameOf, isMirrorOf, isStaticPod } from "../config/static-pod.ts";
import type { PodStatusWriter } from "../pod-status-writer.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };

/** What {@link MirrorPods} use of their node. */
export interface MirrorPodsModules {
  readonly client: Client;
  readonly statusManager: PodStatusWriter;
  /** The Node object; undefined while the API does not tell of it. */
  readonly node: () => Node | undefined;
  /** The static pod of a full name. */
  readonly staticPod: (fullName: string) => Pod | undefined;
  readonly logger: Logger;
}

/**
 * Shows static pods in the API (upstream's mirror client): each has a mirror pod, made anew when somebody deletes it or the
 * manifest changes, and gone with the static pod. Their statuses are written to it.
 */
export class MirrorPods implements PodStatusWriter {
  readonly #modules: MirrorPodsModules;
  /** Mirror pods that the API has; by full name. */
  readonly #mirrors = new Map<string, Pod>();
  /** Of static pods; by uid. */
  readonly #statuses = new Map<string, PodStatus>();
  readonly #reconciling = new Set<string>();

  constructor(modules: MirrorPodsModules) {
    this.#modules = modules;
  }

  /** A mirror pod is in the API, or changed there. */
  seen(mirror: Pod): void {
    const fullName = fullNameOf(mirror);
    const before = this.#mirrors.get(fullName);
    this.#mirrors.set(fullName, mirror);
    const pod = this.#modules.staticPod(fullName);
    if (pod !== undefined && before?.metadata.uid !== mirror.metadata.uid) this.#writeStatus(pod);
  }

  /** A mirror pod is gone from the API. */
  gone(mirror: Pod): void {
    const fullName = fullNameOf(mirror);
    if (this.#mirrors.get(fullName)?.metadata.uid === mirror.metadata.uid) this.#mirrors.delete(fullName);
  }

  /** Takes the status of any pod: that of a static pod goes to its mirror pod, once there is one. */
  write(pod: Pod, status: PodStatus, final: boolean, onWritten?: (written: Pod) => void): void {
    if (!isStaticPod(pod)) {
      this.#modules.statusManager.write(pod, status, final, onWritten);
      return;
    }
    this.#statuses.set(pod.metadata.uid ?? "", status);
    this.#writeStatus(pod);
  }

  /** A static pod is gone for good. */
  forget(pod: Pod): void {
    this.#statuses.delete(pod.metadata.uid ?? "");
  }

  #writeStatus(pod: Pod): void {
    const status = this.#statuses.get(pod.metadata.uid ?? "");
    const mirror = this.#mirrors.get(fullNameOf(pod));
    if (status === undefined || mirror === undefined || !isMirrorOf(mirror, pod)) return;
    this.#modules.statusManager.write(mirror, status, false);
  }

  /** Brings the mirror pods to what the static pods are. What fails is tried again the next time. */
  async reconcile(pods: readonly Pod[]): Promise<void> {
    const wanted = new Map(pods.map((pod) => [fullNameOf(pod), pod]));
    const names = new Set([...wanted.keys(), ...this.#mirrors.keys()]);
    await Promise.all([...names].map((fullName) => this.#reconcileOne(fullName, wanted.get(fullName))));
  }

  async #reconcileOne(fullName: string, pod: Pod | undefined): Promise<void> {
    if (this.#reconciling.has(fullName)) return;
    this.#reconciling.add(fullName);
    try {
      const mirror = this.#mirrors.get(fullName);
      const isRight = mirror !== undefined && pod !== undefined && isMirrorOf(mirror, pod);
      if (mirror !== undefined && (!isRight || mirror.metadata.deletionTimestamp !== undefined)) await this.#delete(mirror);
      else if (mirror !== undefined) return;
      if (pod !== undefined) await this.#create(pod);
    } catch (error) {
      this.#modules.logger.debug({ pod: fullName, err: String(error) }, "a mirror pod could not be brought up to date");
    } finally {
      this.#reconciling.delete(fullName);
    }
  }

  async #delete(mirror: Pod): Promise<void> {
    const { name = "", namespace = "", uid = "" } = mirror.metadata;
    try {
      await this.#modules.client.delete(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    this.gone(mirror);
  }

  async #create(pod: Pod): Promise<void> {
    const { client, node } = this.#modules;
    const owner = node();
    // Without its node it would be nobody's.
    if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return;
    const { uid: _, annotations = {}, ...metadata } = pod.metadata;
    const mirror = {
      ...pod,
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...metadata,
        annotations: { ...annotations, [CONFIG_MIRROR_ANNOTATION]: annotations[CONFIG_HASH_ANNOTATION] ?? "" },
        ownerReferences: [ownerReference(owner)],
      },
    };
    try {
      this.seen(await client.create<Pod>(PODS, metadata.namespace ?? "", mirror as unknown as Pod, { fieldManager: "kubelet" }));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

function ownerReference({ metadata }: Node): object {
  return { apiVersion: "v1", kind: "Node", name: metadata.name, uid: metadata.uid, controller: true };
}
