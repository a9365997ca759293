import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Event, Node, Pod } from "#api/generated/core/v1.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { bridgeNetwork } from "#cni/bridge-network.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import { type Cluster, startCluster } from "../cluster.ts";
import type { ContainerdVersion } from "../containerd.ts";
import { linkPrograms } from "../guide-host.ts";
import { CONTAINERD_SOCKET, HostContainerd } from "../host-containerd.ts";
import { type HostProgram, PROGRAM_DIR, TestHost, TestNetwork } from "../test-host.ts";
import { CriProxy } from "./cri-proxy.ts";
import { HostRelay } from "./host-relay.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const NETWORK = "192.168.41";
const API_PORT = 6443;
const PROXY_SOCKET = "/run/cri-proxy.sock";
const KUBECONFIG = "/etc/kubernetes/kubelet.conf";
const LOOKED = "/run/looked.json";
const PROBE = "/opt/kybern/look-inside.cjs";
/** The namespace of a test's own pods. */
export const NAMESPACE = "default";
/** How long a kubelet may take until its node is ready, in milliseconds. */
const READY_MS = 60_000;
/** How long it may take until it has counted what it holds, in milliseconds: it goes through all of its memory. */
const COUNTED_MS = 120_000;

/** What a kubelet holds: counts of objects after a collection of garbage, and bytes. */
export type Held = Readonly<
  Record<"timers" | "sockets" | "promises" | "signals" | "maps" | "heapUsed" | "external" | "rss", number>
>;

/** What a {@link FaultNode} is started with. */
export interface FaultNodeOptions {
  /** Commands on the machine before anything runs there. */
  readonly prepare?: string;
  /** Calls of the kubelet to its runtime come by {@link FaultNode.proxy}. */
  readonly proxied?: boolean;
}

/** What was started, to be closed in the other order. */
class Closing {
  readonly #closers: (() => unknown)[] = [];

  use<T extends AsyncDisposable>(started: T): T {
    this.defer(() => started[Symbol.asyncDispose]());
    return started;
  }

  defer(close: () => unknown): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** A machine of its own with containerd and a kubelet as programs, whose API server is in this process: what is to go wrong there does so without harm. */
export class FaultNode implements AsyncDisposable {
  readonly name = "faulty";
  readonly host: TestHost;
  readonly cluster: Cluster;
  readonly containerd: HostContainerd;
  readonly proxy: CriProxy | undefined;
  readonly #closing: Closing;
  readonly #connection: ReturnType<HostContainerd["connect"]>;
  #kubelet: HostProgram | undefined;

  private constructor(parts: {
    readonly host: TestHost;
    readonly cluster: Cluster;
    readonly containerd: HostContainerd;
    readonly connection: ReturnType<HostContainerd["connect"]>;
    readonly proxy: CriProxy | undefined;
    readonly closing: Closing;
  }) {
    this.host = parts.host;
    this.cluster = parts.cluster;
    this.containerd = parts.containerd;
    this.proxy = parts.proxy;
    this.#connection = parts.connection;
    this.#closing = parts.closing;
  }

  /** Starts all but the kubelet. */
  static async start(version: ContainerdVersion, options: FaultNodeOptions = {}): Promise<FaultNode> {
    const closing = new Closing();
    try {
      const network = closing.use(await TestNetwork.start(`${NETWORK}.1/24`));
      const host = closing.use(await TestHost.start(network, "faulty", `${NETWORK}.11`));
      linkPrograms(host, `${PROGRAM_DIR}/kubelet`);
      host.write("/etc/cni/net.d/10-kybern.conflist", JSON.stringify(NODE_NETWORK));
      host.write(PROBE, readFileSync(fileURLToPath(new URL("look-inside.cjs", import.meta.url)), "utf8"));
      if (options.prepare !== undefined) await host.sh(options.prepare);
      const cluster = closing.use(await startCluster({ nodes: 0 }));
      host.write(KUBECONFIG, cluster.kubeconfig.replace(cluster.url, `https://127.0.0.1:${API_PORT}`));
      closing.use(await HostRelay.start(host, API_PORT, Number(new URL(cluster.url).port)));
      const containerd = await HostContainerd.start(host, version);
      const connection = containerd.connect();
      closing.defer(() => connection.channel.close());
      const proxy = options.proxied
        ? closing.use(await CriProxy.start(host.path(PROXY_SOCKET), host.path(CONTAINERD_SOCKET)))
        : undefined;
      return new FaultNode({ host, cluster, containerd, connection, proxy, closing });
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  get client(): Client {
    return this.cluster.client;
  }

  /** The runtime, asked by the test itself. */
  get runtime(): RuntimeService {
    return this.#connection.runtime;
  }

  get kubelet(): HostProgram {
    if (this.#kubelet === undefined) throw new Error("the kubelet was not started");
    return this.#kubelet;
  }

  /** Starts the kubelet, for the first time or again, with flags beside its own. */
  launch(more: readonly string[] = ["--eviction-hard=memory.available<1Mi"]): void {
    const socket = this.proxy === undefined ? CONTAINERD_SOCKET : PROXY_SOCKET;
    const flags = [
      `--kubeconfig=${KUBECONFIG}`,
      `--hostname-override=${this.name}`,
      `--container-runtime-endpoint=unix://${socket}`,
      "--pod-manifest-path=/etc/kubernetes/manifests",
      "--fail-swap-on=false",
      "--node-status-update-frequency=1s",
      ...more,
    ];
    const env = { NODE_OPTIONS: `--require=${PROBE}`, LOOK_INSIDE: LOOKED };
    this.#kubelet = this.host.start([`${PROGRAM_DIR}/kubelet`, ...flags], { env });
  }

  /** Resolves when the node's condition has this status. */
  async condition(type: string, status: string, timeoutMs: number = READY_MS): Promise<void> {
    await this.#until(timeoutMs, `${type} is ${status}`, async () => {
      const node = await this.client.get<Node>(NODES, "", this.name).catch(() => undefined);
      return node?.status?.conditions?.some((one) => one.type === type && one.status === status) ?? false;
    });
  }

  async node(): Promise<Node> {
    return this.client.get<Node>(NODES, "", this.name);
  }

  /** What is left to be told of pods and nodes, as `REASON MESSAGE`. */
  async events(of: string): Promise<readonly string[]> {
    const { items } = await this.client.list<Event>(EVENTS, "");
    return items.filter(({ involvedObject }) => involvedObject.name === of).map(({ reason, message }) => `${reason} ${message}`);
  }

  async create(pod: { readonly metadata: object; readonly spec: object }): Promise<Pod> {
    const spec = { nodeName: this.name, automountServiceAccountToken: false, ...pod.spec };
    return this.client.create<Pod>(PODS, NAMESPACE, { apiVersion: "v1", kind: "Pod", ...pod, spec } as unknown as Pod);
  }

  async delete(name: string, gracePeriodSeconds?: number): Promise<void> {
    await this.client.delete(PODS, NAMESPACE, name, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  }

  /** All pods of this node, by name. */
  async pods(): Promise<ReadonlyMap<string, Pod>> {
    const { items } = await this.client.list<Pod>(PODS, NAMESPACE);
    return new Map(items.map((pod) => [pod.metadata.name ?? "", pod]));
  }

  /** Resolves with the pod when it is as wanted; undefined stands for one that is gone. */
  async until(name: string, wanted: (pod: Pod | undefined) => boolean, timeoutMs: number = READY_MS): Promise<Pod | undefined> {
    let pod: Pod | undefined;
    await this.#until(
      timeoutMs,
      () => `${name} is as wanted, not ${JSON.stringify(pod?.status)}`,
      async () => {
        pod = (await this.pods()).get(name);
        return wanted(pod);
      },
    );
    return pod;
  }

  /** Counts what the kubelet holds. */
  async look(): Promise<Held> {
    await this.host.run(["rm", "-f", LOOKED]);
    process.kill(this.kubelet.pid, "SIGUSR2");
    let text = "";
    await this.#until(COUNTED_MS, "the kubelet has counted", async () => {
      text = (await this.host.tryRun(["cat", LOOKED])).stdout;
      return text !== "";
    });
    return JSON.parse(text) as Held;
  }

  /** Ends it as nobody can hold up. */
  async killKubelet(): Promise<void> {
    await this.kubelet.stop("SIGKILL");
  }

  async #until(timeoutMs: number, what: string | (() => string), isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!(await isSo())) {
      if (performance.now() > end) {
        const said = this.#kubelet?.output.slice(-4000) ?? "";
        throw new Error(`not within ${timeoutMs} ms: ${typeof what === "string" ? what : what()}\n${said}`);
      }
      await pause(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing.close();
  }
}

const NODE_NETWORK: object = bridgeNetwork({ podCidrs: ["10.244.7.0/24"], bridge: "kybfaulty", masquerade: true });
