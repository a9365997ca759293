import type { Duplex } from "node:stream";
import type { Node, Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import type { Random } from "#base/random.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { IpPool } from "#cni/host-local.ts";
import { inFamilies, ipv4Beside } from "#cni/simulated-addresses.ts";
import { Allowance, NODE_LIMITS } from "#cri/fake/allowance.ts";
import { FakeRuntime } from "#cri/fake/fake-runtime.ts";
import type { SimulationHooks } from "#cri/fake/hooks.ts";
import type { PodServer } from "#cri/fake/pod-server.ts";
import { SimulatedHandlers } from "./handlers/simulated-handlers.ts";
import type { Amounts } from "./inside/resource-values.ts";
import { SimulatedVolumes } from "./inside/simulated-volumes.ts";
import type { Sources } from "./inside/sources.ts";
import type { NodeAuthority } from "./node-authority.ts";
import { KUBELET_PORT, type NodeIdentity } from "./node-object.ts";
import { type Rejection, rejectionOf, resizeProblemOf } from "./pod-admission.ts";
import { PodEnvironment } from "./pod-environment.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import { PodWorker } from "./pod-worker.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import type { ResizeProblem } from "./resize/pod-resizer.ts";
import type { KubeletAuth } from "./server/kubelet-auth.ts";
import type { KubeletHost } from "./server/kubelet-host.ts";
import type { KubeletServer } from "./server/kubelet-server.ts";
import { decorate, noCgroups, SimulatedImages } from "./simulated-modules.ts";
import type { NetworkNode } from "./simulated-network.ts";

/** What all nodes of a process share. */
export interface SharedModules {
  readonly clock: Clock;
  readonly random: Random;
  /** Answers for the ports of all pods. */
  readonly podServer: PodServer;
  readonly hooks?: SimulationHooks;
  /** What the containers of all nodes may hold together. */
  readonly allowance: Allowance;
  readonly sources: Sources;
  readonly statusManager: PodStatusWriter;
  readonly recorderFor: (nodeName: string) => EventRecorder;
  /** What the node's own server proves itself with and decides by; without them it answers nobody. */
  readonly authority?: NodeAuthority;
  readonly auth: () => Promise<KubeletAuth>;
  /** The Node object as last seen. */
  readonly nodeSeen: (nodeName: string) => Node | undefined;
  /** The Node object as it is. */
  readonly readNode: (nodeName: string) => Promise<Node>;
}

/** One node: a pretended runtime, a worker for each of its pods, and a server that begins when it is first asked. */
export class SimulatedNode implements NetworkNode {
  readonly identity: NodeIdentity;
  readonly #shared: SharedModules;
  readonly #runtime: FakeRuntime;
  readonly #modules: PodWorkerModules;
  readonly #workers = new Map<string, PodWorker>();
  readonly #startedAtMs: number;
  #server: Promise<KubeletServer> | undefined;
  #running = true;

  constructor(identity: NodeIdentity, shared: SharedModules) {
    const { clock, statusManager } = shared;
    this.identity = identity;
    this.#shared = shared;
    this.#startedAtMs = clock.now();
    const ips = new IpPool(identity.podCidr);
    const allocatable = (): Amounts => (shared.nodeSeen(identity.name)?.status?.allocatable ?? {}) as Amounts;
    const { sources } = shared;
    const environment = new PodEnvironment({ sources, clock, allocatable, tellsServices: false });
    const allowance = new Allowance(NODE_LIMITS, shared.allowance);
    const volumes = new SimulatedVolumes({ sources, clock, allocatable, allowance }, environment);
    this.#runtime = new FakeRuntime({
      clock,
      random: shared.random,
      podServer: shared.podServer,
      ...(shared.hooks === undefined ? {} : { hooks: shared.hooks }),
      allowance,
      insideOf: (uid, container) => volumes.inside(uid, container),
      allocateIps: () => inFamilies(ips.allocate(), identity.families),
      releaseIp: (ip) => ips.release(ipv4Beside(ip)),
      idPrefix: identity.podCidr
        .split(".")
        .slice(0, 3)
        .map((part) => Number(part).toString(16).padStart(2, "0"))
        .join(""),
    });
    const recorder = shared.recorderFor(identity.name);
    const serves = shared.hooks?.serve !== undefined;
    const connect = (sandboxId: string, port: number): Duplex | undefined => this.#runtime.connect(sandboxId, port);
    this.#modules = {
      handlers: new SimulatedHandlers({ runtime: this.#runtime, clock, connect: serves ? connect : undefined }),
      environment,
      volumes,
      cgroups: noCgroups,
      images: new SimulatedImages(recorder),
      decorate,
      resizeProblem: (pod) => this.#resizeProblem(pod),
      runtime: this.#runtime,
      runtimeName: "fake",
      statusManager,
      recorder,
      clock,
      hostIps: inFamilies(identity.hostIp, identity.families),
    };
    this.#runtime.getContainerEvents(({ type, sandboxId }) => {
      if (type === "CONTAINER_STOPPED_EVENT") void this.#wakeOwner(sandboxId);
    });
  }

  get running(): boolean {
    return this.#running;
  }

  get name(): string {
    return this.identity.name;
  }

  get hostIp(): string {
    return this.identity.hostIp;
  }

  /** To the node's own server, to a port of the node that a pod has taken, or to a pod. */
  connect(host: string, port: number): Duplex | undefined {
    if (!this.#running) return undefined;
    const isNode = host === this.name || ipv4Beside(host) === this.hostIp;
    if (isNode && port === KUBELET_PORT) return this.#connectToServer();
    const taken = isNode ? this.#runtime.sandboxByHostPort(host === this.name ? this.hostIp : host, port) : undefined;
    const sandboxId = isNode ? taken?.sandboxId : this.#runtime.sandboxByIp(host);
    return sandboxId === undefined ? undefined : this.#runtime.connect(sandboxId, taken?.containerPort ?? port);
  }

  #connectToServer(): Duplex | undefined {
    const { authority } = this.#shared;
    if (authority === undefined) return undefined;
    this.#server ??= this.#startServer(authority);
    const [near, far] = duplexPair();
    this.#server.then(
      (server) => server.accept(far),
      () => far.destroy(),
    );
    return near;
  }

  /** Few nodes are ever asked: neither a certificate nor the server's code is there before. */
  async #startServer(authority: NodeAuthority): Promise<KubeletServer> {
    const [{ KubeletServer }, auth] = await Promise.all([import("./server/kubelet-server.ts"), this.#shared.auth()]);
    const serving = authority.issueServing(this.name, [this.name, ...inFamilies(this.hostIp, this.identity.families)]);
    return new KubeletServer(
      { host: this.#host(), auth, clock: this.#shared.clock },
      { ...serving, clientCa: authority.clientCa },
    );
  }

  #host(): KubeletHost {
    const runtime = this.#runtime;
    return {
      nodeName: this.name,
      runtime,
      logFiles: runtime.logFiles,
      startedAtMs: this.#startedAtMs,
      pods: () => [...this.#workers.values()].map((worker) => worker.podWithStatus),
      dialStreaming: async () => runtime.dialStreaming(),
      isSyncing: () => this.#running,
    };
  }

  /** A pod of this node is there, or changed. */
  podChanged(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    if (worker !== undefined) {
      worker.update(pod);
      return;
    }
    const added = new PodWorker(pod, this.#modules);
    this.#workers.set(uid, added);
    if (this.#running) this.#takeOn(added);
  }

  /** Lets a pod run if the node has what it needs; one that the node took on before stays. */
  #takeOn(worker: PodWorker): void {
    const wasTaken = worker.pod.status?.startTime !== undefined;
    if (wasTaken || this.#rejection(worker, this.#shared.nodeSeen(this.identity.name)) === undefined) worker.resume();
    else void this.#lookAgain(worker);
  }

  #rejection(worker: PodWorker, node: Node | undefined): Rejection | undefined {
    if (node === undefined) return undefined;
    const others = [...this.#workers.values()].filter((other) => other !== worker && other.active);
    return rejectionOf(
      worker.pod,
      node,
      others.map(({ allocatedPod }) => allocatedPod),
    );
  }

  #resizeProblem(pod: Pod): ResizeProblem | undefined {
    const node = this.#shared.nodeSeen(this.identity.name);
    if (node === undefined) return undefined;
    const others = [...this.#workers.values()].filter((other) => other.pod.metadata.uid !== pod.metadata.uid && other.active);
    return resizeProblemOf(
      pod,
      node,
      others.map(({ allocatedPod }) => allocatedPod),
    );
  }

  /** What was seen of the node may be behind what the scheduler has seen: only the node as it is rejects a pod. */
  async #lookAgain(worker: PodWorker): Promise<void> {
    const node = await this.#shared.readNode(this.identity.name).catch(() => undefined);
    if (!this.#running || this.#workers.get(worker.pod.metadata.uid ?? "") !== worker) return;
    const rejection = this.#rejection(worker, node);
    if (rejection === undefined) worker.resume();
    else worker.reject(rejection);
  }

  /** A pod of this node is gone. */
  podRemoved(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const worker = this.#workers.get(uid);
    this.#workers.delete(uid);
    // The runtime only pretends: removing does not fail.
    void worker?.remove();
  }

  /** The node fails: it neither acts nor tells. Its containers go on. */
  pause(): void {
    this.#running = false;
    for (const worker of this.#workers.values()) worker.pause();
  }

  resume(): void {
    this.#running = true;
    for (const worker of this.#workers.values()) this.#takeOn(worker);
  }

  /** Ends all timers. */
  close(): void {
    this.pause();
    for (const worker of this.#workers.values()) worker.close();
    void this.#server?.then((server) => server.close());
    this.#runtime.close();
  }

  async #wakeOwner(sandboxId: string): Promise<void> {
    const { metadata } = await this.#runtime.podSandboxStatus(sandboxId).catch(() => ({ metadata: { uid: "" } }));
    this.#workers.get(metadata.uid)?.wake();
  }
}
