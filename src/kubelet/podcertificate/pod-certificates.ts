import type { PodCertificateRequest } from "#api/generated/certificates/v1beta1.ts";
import type { Node, Pod, PodCertificateProjection, ServiceAccount } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { KeyAndCertificates } from "../inside/volume-files.ts";
import { certificatesAsPem, certificatesOf } from "./pem-certificates.ts";
import { generatePodKey, stubRequest } from "./pod-key.ts";

/** What {@link PodCertificates} uses of its node. */
export interface PodCertificatesModules {
  readonly client: Pick<Client, "create" | "get">;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  /** The node's own object. */
  readonly node: () => Node | undefined;
}

const REQUESTS: ResourceId = { group: "certificates.k8s.io", version: "v1beta1", resource: "podcertificaterequests" };
const ACCOUNTS: ResourceId = { group: "", version: "v1", resource: "serviceaccounts" };
/** A request is made again when it is not there any more after so long, in milliseconds. */
const DELETED_AFTER_MS: number = 10 * 60 * 1000;
/** A certificate that is not made anew so long after it should be is late, in milliseconds. */
const LATE_AFTER_MS: number = 10 * 60 * 1000;
/** Requests are made so much later at random, in milliseconds, that not all are at once. */
const JITTER_MS: number = 5 * 60 * 1000;
const NOT_YET = "credential bundle is not issued yet";

/** A request whose answer is awaited. */
interface Pending {
  readonly key: string;
  readonly name: string;
  /** By `Clock.elapsed`. */
  readonly abandonAtMs: number;
}

/** A certificate that was issued. */
interface Issued extends KeyAndCertificates {
  readonly beginRefreshAtMs: number;
  readonly notAfterMs: number;
}

interface Entry {
  pending?: Pending | undefined;
  issued?: Issued;
  /** Why there will never be one. */
  refusal?: string;
  toldLate?: boolean;
  toldExpired?: boolean;
}

/**
 * Keys and certificates of pods' own, for `podCertificate` sources of projected volumes (upstream's
 * `podcertificate.IssuingManager`). They are held in memory: a kubelet that starts anew asks for new ones.
 */
export class PodCertificates {
  readonly #modules: PodCertificatesModules;
  readonly #pods = new Map<string, Map<string, Entry>>();

  constructor(modules: PodCertificatesModules) {
    this.#modules = modules;
  }

  /**
   * The key and certificates for a source of a pod's volume. The first call asks for them, later ones look whether they
   * are issued, and renew them in time. Rejects while there are none, or will never be.
   */
  async get(pod: Pod, volume: string, index: number, source: PodCertificateProjection): Promise<KeyAndCertificates> {
    const { uid = "" } = pod.metadata;
    const entries = this.#pods.get(uid) ?? new Map<string, Entry>();
    this.#pods.set(uid, entries);
    const id = `${volume}/${index}`;
    const entry = entries.get(id) ?? {};
    entries.set(id, entry);
    if (entry.refusal === undefined) await this.#advance(pod, source, entry);
    if (entry.refusal !== undefined) throw new Error(entry.refusal);
    if (entry.issued === undefined) throw new Error(NOT_YET);
    const { key, certificates } = entry.issued;
    return { key, certificates };
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }

  async #advance(pod: Pod, source: PodCertificateProjection, entry: Entry): Promise<void> {
    const { clock } = this.#modules;
    const { pending, issued } = entry;
    if (issued !== undefined) this.#tellAge(pod, entry, issued);
    if (pending === undefined) {
      if (issued !== undefined && clock.now() < issued.beginRefreshAtMs) return;
      // A certificate that holds does, whatever becomes of the next.
      entry.pending = await this.#request(pod, source).catch((error: unknown) => {
        if (issued === undefined) throw error;
        return undefined;
      });
      return;
    }
    await this.#look(pod, pending, entry).catch((error: unknown) => {
      if (issued === undefined) throw error;
    });
  }

  async #look(pod: Pod, { name, key, abandonAtMs }: Pending, entry: Entry): Promise<void> {
    const { client, clock, recorder } = this.#modules;
    const { namespace = "" } = pod.metadata;
    const request = await client.get<PodCertificateRequest>(REQUESTS, namespace, name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
    if (request === undefined) {
      if (clock.elapsed() > abandonAtMs) entry.pending = undefined;
      return;
    }
    for (const { type, reason, message } of request.status?.conditions ?? []) {
      if (type === "Issued") {
        entry.issued = this.#issued(key, request);
        entry.pending = undefined;
        entry.toldLate = false;
        entry.toldExpired = false;
        return;
      }
      if (type !== "Denied" && type !== "Failed") continue;
      recorder.event({ apiVersion: "v1", kind: "Pod", metadata: pod.metadata }, "Warning", type, reason);
      const why = `reason=${JSON.stringify(reason)} message=${JSON.stringify(message)}`;
      entry.refusal = `PodCertificateRequest was permanently ${type.toLowerCase()}: ${why}`;
      return;
    }
  }

  #issued(key: string, { status = {} }: PodCertificateRequest): Issued {
    const { clock, random } = this.#modules;
    return {
      key,
      certificates: certificatesAsPem(certificatesOf(status.certificateChain ?? "")),
      beginRefreshAtMs: (parseTime(status.beginRefreshAt) ?? clock.now()) + random.float() * JITTER_MS,
      notAfterMs: parseTime(status.notAfter) ?? Number.POSITIVE_INFINITY,
    };
  }

  async #request(pod: Pod, source: PodCertificateProjection): Promise<Pending> {
    const { client, clock, random, node } = this.#modules;
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const { serviceAccountName = "default", nodeName = "" } = pod.spec;
    const account = await client.get<ServiceAccount>(ACCOUNTS, namespace, serviceAccountName);
    const own = node();
    if (own === undefined) throw new Error(`while getting node object from local cache: node "${nodeName}" not found`);
    const key = await generatePodKey(source.keyType ?? "");
    const { signerName = "", maxExpirationSeconds, userAnnotations } = source;
    const request = {
      apiVersion: "certificates.k8s.io/v1beta1",
      kind: "PodCertificateRequest",
      metadata: { generateName: "req-", namespace, ownerReferences: [{ apiVersion: "core/v1", kind: "Pod", name, uid }] },
      spec: {
        signerName,
        podName: name,
        podUID: uid,
        serviceAccountName,
        serviceAccountUID: account.metadata.uid ?? "",
        nodeName,
        nodeUID: own.metadata.uid ?? "",
        ...(maxExpirationSeconds === undefined ? {} : { maxExpirationSeconds }),
        stubPKCS10Request: stubRequest(key),
        ...(userAnnotations === undefined ? {} : { unverifiedUserAnnotations: userAnnotations }),
      },
    } as unknown as PodCertificateRequest;
    const made = await client.create<PodCertificateRequest>(REQUESTS, namespace, request);
    return { key, name: made.metadata.name ?? "", abandonAtMs: clock.elapsed() + DELETED_AFTER_MS + random.float() * JITTER_MS };
  }

  #tellAge(pod: Pod, entry: Entry, { beginRefreshAtMs, notAfterMs }: Issued): void {
    const { clock, recorder } = this.#modules;
    const target = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
    if (clock.now() > beginRefreshAtMs + LATE_AFTER_MS && entry.toldLate !== true) {
      entry.toldLate = true;
      recorder.event(target, "Warning", "CertificateOverdueForRefresh", "PodCertificate refresh overdue");
    }
    if (clock.now() > notAfterMs && entry.toldExpired !== true) {
      entry.toldExpired = true;
      recorder.event(target, "Warning", "CertificateExpired", "PodCertificate expired");
    }
  }
}
