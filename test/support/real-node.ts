import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { Node } from "#api/generated/core/v1.ts";
import type { NetworkDialer } from "#apiserver/proxy/network-dialer.ts";
import { realClock, type Timer } from "#base/clock.ts";
import { duplexPair } from "#base/duplex-pair.ts";
import { realFolderWatcher } from "#base/folder-watcher.ts";
import { realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import { systemRandom } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { Logger } from "#component-base/logging.ts";
import { loadPodResources } from "#kubelet/allocation/pod-resources-file.ts";
import { cgroupfsDriver } from "#kubelet/cm/cgroup-drivers.ts";
import { parseCgroupName } from "#kubelet/cm/cgroup-names.ts";
import { CgroupTree, cgroupLayout } from "#kubelet/cm/cgroup-tree.ts";
import { HostContainerManager } from "#kubelet/cm/host-container-manager.ts";
import { withDefaults } from "#kubelet/configuration/defaults.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { PullManager } from "#kubelet/images/pull-manager.ts";
import { ClientSources } from "#kubelet/inside/sources.ts";
import { Kubelet } from "#kubelet/kubelet.ts";
import type { KubeletOptions } from "#kubelet/kubelet-options.ts";
import { kubeletServerHost } from "#kubelet/kubelet-server-host.ts";
import { hostLogFiles } from "#kubelet/logs/host-log-files.ts";
import { podDns } from "#kubelet/network-files/pod-dns.ts";
import { NodeRegistration } from "#kubelet/node-registration.ts";
import { KubeletAuth } from "#kubelet/server/kubelet-auth.ts";
import { KubeletServer } from "#kubelet/server/kubelet-server.ts";
import { clientClaims } from "#kubelet/volumes/client-claims.ts";
import { HostVolumes } from "#kubelet/volumes/host-volumes.ts";
import { CommandMounter } from "#kubelet/volumes/mounter.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { decodeManifest } from "../../src/cmd/kubelet/manifest-pods.ts";
import type { Cluster } from "./cluster.ts";
import { Containerd, type ContainerdVersion } from "./containerd.ts";
import { ImageRegistry } from "./image-registry.ts";
import { busyboxImage } from "./oci-image.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const NODE_IP = "172.31.255.1";
const NODES = { group: "", version: "v1", resource: "nodes" };
const MERGE = "application/merge-patch+json";
const DNS = { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", ofNode: undefined, nodeIps: [NODE_IP] };
const ALLOCATABLE = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" };

/** What a test says of its {@link RealNode}. */
export interface RealNodeOptions {
  readonly version: ContainerdVersion;
  readonly nodeName?: string;
  /** Its own settings above the defaults. */
  readonly config?: Partial<KubeletConfiguration>;
  readonly options?: Partial<KubeletOptions>;
  /** Lines of the kubelet's log; thrown away when absent. */
  readonly logger?: Logger;
}

/** A kubelet in this process on a containerd of its own, with a registry of images. Its node is reached through {@link network}. */
export class RealNode implements AsyncDisposable {
  readonly nodeName: string;
  readonly containerd: Containerd;
  /** An image with busybox. */
  readonly image: string;
  readonly registry: ImageRegistry;
  /** Its folder of manifests. */
  readonly manifests: string;
  readonly logs: string;
  /** Lines that the kubelet said. */
  readonly said: string[] = [];
  readonly #dir: string;
  readonly #options: RealNodeOptions;
  #server: KubeletServer | undefined;
  #beat: Timer | undefined;
  #kubelet: Kubelet | undefined;
  #volumes: HostVolumes | undefined;

  private constructor(options: RealNodeOptions, registry: ImageRegistry, containerd: Containerd, image: string) {
    this.#options = options;
    this.nodeName = options.nodeName ?? "real-0";
    this.registry = registry;
    this.containerd = containerd;
    this.image = image;
    this.#dir = mkdtempSync(join(tmpdir(), "kybern-node-"));
    this.manifests = join(this.#dir, "manifests");
    this.logs = join(this.#dir, "logs");
    mkdirSync(this.manifests);
  }

  /** Starts containerd, which has the image. */
  static async start(options: RealNodeOptions): Promise<RealNode> {
    const registry = new ImageRegistry();
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    const image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sleep", "2147483647"], Env: ["PATH=/bin"] }));
    const containerd = await Containerd.start(options.version, pause);
    await containerd.images.pullImage({ image });
    return new RealNode(options, registry, containerd, image);
  }

  /** Leads an API server to the node's own server. */
  get network(): NetworkDialer {
    return {
      reaches: (host) => host === this.nodeName || host === NODE_IP,
      dial: async (): Promise<Duplex> => {
        if (this.#server === undefined) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
        const [near, far] = duplexPair();
        this.#server.accept(far);
        return near;
      },
    };
  }

  /** Where the kubelet keeps its files. */
  get folder(): string {
    return this.#dir;
  }

  get kubelet(): Kubelet {
    if (this.#kubelet === undefined) throw new Error("the kubelet was not started");
    return this.#kubelet;
  }

  /** Registers the node, and keeps it alive. */
  async register(client: Client): Promise<void> {
    const identity = { name: this.nodeName, hostIp: NODE_IP, podCidr: "10.253.0.0/24", families: ["IPv4"] };
    const registration = new NodeRegistration(identity, { client, clock: realClock, leaseDurationSeconds: 40 });
    await registration.register();
    const { supplementalGroupsPolicy } = await this.containerd.runtime.status();
    const status = { features: { supplementalGroupsPolicy } };
    await client.patch(NODES, "", this.nodeName, MERGE, { status }, { subresource: "status" });
    this.#beat = realClock.setInterval(() => void registration.beat(), registration.beatPeriodMs, { unref: true });
  }

  /** Starts a kubelet; without a cluster one that is on its own. */
  async launch(
    cluster: Pick<Cluster, "client" | "credentials"> | undefined,
    client: Client | undefined = cluster?.client,
    more: Partial<KubeletOptions> = {},
  ): Promise<Kubelet> {
    const { nodeName, containerd } = this;
    const { config = {} } = this.#options;
    this.#volumes = await this.#startVolumes(client);
    const kubelet = await Kubelet.start({
      nodeName,
      client,
      runtime: containerd.runtime,
      volumes: this.#volumes,
      containers: cgroupsOf(containerd),
      images: new PullManager({
        images: containerd.images,
        recorder: recorderFor(client, nodeName),
        clock: realClock,
        secret: async (namespace, name) =>
          client === undefined ? undefined : new ClientSources({ client, clock: realClock }).secret(namespace, name),
        serialize: false,
        parallelMax: undefined,
        perSecond: 0,
        burst: 0,
      }),
      config: {
        ...withDefaults({}),
        staticPodPath: this.manifests,
        podLogsDir: this.logs,
        clusterDomain: "cluster.local",
        ...config,
      },
      hostIps: [NODE_IP],
      ownNode: () => ({ metadata: { name: nodeName }, status: { allocatable: ALLOCATABLE } }) as unknown as Node,
      dns: async (pod) => podDns(pod, DNS).config,
      resizeRecord: await loadPodResources(realHostFiles, this.#dir),
      security: { seccompRoot: join(this.#dir, "seccomp"), seccompDefault: false },
      decodeManifest,
      fetchManifest: async () => ({ statusCode: 404, statusText: "Not Found", text: "" }),
      files: realHostFiles,
      watchFolder: realFolderWatcher,
      containerLogsDir: join(this.#dir, "containers"),
      clock: realClock,
      random: systemRandom,
      logger: this.#logger(),
      ...this.#options.options,
      ...more,
    });
    this.#kubelet = kubelet;
    if (cluster !== undefined) this.#serve(kubelet, cluster);
    return kubelet;
  }

  /** Ends the kubelet; containers go on. */
  async end(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
    await this.#kubelet?.close();
    this.#kubelet = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#beat?.clear();
    await this.end();
    try {
      await this.containerd[Symbol.asyncDispose]();
    } finally {
      await this.registry[Symbol.asyncDispose]();
      // Volumes of pods that were not deleted.
      const mounts = readFileSync("/proc/mounts", "utf8")
        .split("\n")
        .map((line) => line.split(" ")[1] ?? "");
      for (const path of mounts.filter((one) => one.startsWith(`${this.#dir}/`)).reverse()) execFileSync("umount", [path]);
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }

  #logger(): Logger {
    const say =
      (level: string) =>
      (fields: object, message: string): void => {
        this.said.push(`${level} ${message} ${JSON.stringify(fields)}`);
      };
    const logger: Logger = { debug: () => {}, info: say("info"), warn: say("warn"), error: say("error"), child: () => logger };
    return this.#options.logger ?? logger;
  }

  #startVolumes(client: Client | undefined): Promise<HostVolumes> {
    const read = client === undefined ? undefined : new ClientSources({ client, clock: realClock });
    const sources =
      client === undefined || read === undefined
        ? undefined
        : {
            configMap: read.configMap.bind(read),
            secret: read.secret.bind(read),
            token: read.token.bind(read),
            ...clientClaims({ client, node: () => undefined }),
          };
    return HostVolumes.start({
      root: join(this.#dir, "root"),
      files: realHostFiles,
      mounter: new CommandMounter({ files: realHostFiles, runner: realProcessRunner }),
      clock: realClock,
      random: systemRandom,
      processId: process.pid,
      allocatable: () => ALLOCATABLE,
      sources,
      clusterDomain: "cluster.local",
      handlerOf: () => ({ name: "", recursiveReadOnlyMounts: false, userNamespaces: false }),
      imageOf: async (_pod, image) => ({ image: image.reference }),
      tmpfsNoswap: false,
    });
  }

  #serve(kubelet: Kubelet, cluster: Pick<Cluster, "client" | "credentials">): void {
    const now = realClock.now();
    const authority = createAuthority("node-ca", now);
    const leaf = issueCertificate(authority, { commonName: "kubelet", usages: ["server"], hosts: [this.nodeName] }, now);
    const { runtime } = this.containerd;
    const host = kubeletServerHost(kubelet, {
      nodeName: this.nodeName,
      runtime,
      logFiles: hostLogFiles({ files: realHostFiles, watchFolder: realFolderWatcher, clock: realClock }),
      startedAtMs: now,
      dialStreaming: (url) => dial(url.hostname, Number(url.port)),
      volumeStats: async (pod) => (await this.#volumes?.stats(pod)) ?? [],
    });
    const auth = new KubeletAuth({ client: cluster.client, clock: realClock });
    const tls = { cert: leaf.cert, key: leaf.key, clientCa: cluster.credentials.ca };
    this.#server = new KubeletServer({ host, auth, clock: realClock }, tls);
  }
}

/** Pods have their cgroups below one of the test's own. */
function cgroupsOf({ cgroupParent }: Containerd): HostContainerManager {
  const layout = cgroupLayout(readFileSync("/proc/mounts", "utf8"));
  if (layout === undefined) throw new Error("no cgroups are mounted");
  for (const { mountpoint } of layout.hierarchies) mkdirSync(join(mountpoint, cgroupParent), { recursive: true });
  const tree = new CgroupTree(layout, realHostFiles, () => pause(50));
  return new HostContainerManager({
    capacity: ALLOCATABLE,
    allocatable: ALLOCATABLE,
    enforced: ALLOCATABLE,
    resources: {
      cgroupVersion: layout.version,
      memoryCapacityBytes: 32 * 1024 ** 3,
      memoryAllocatableBytes: 32 * 1024 ** 3,
      swapCapacityBytes: 0,
      countsSwap: false,
      swapBehavior: "NoSwap",
      cpuCfsQuota: true,
      cpuPeriodUs: 100_000,
      singleProcessOomKill: layout.version === 1,
      hugePageSizes: [],
    },
    driver: cgroupfsDriver(tree),
    root: parseCgroupName(cgroupParent),
    enforcesPods: true,
    reserved: [],
    podPidsMax: undefined,
    logger: silent,
  });
}

function recorderFor(client: Client | undefined, nodeName: string): ReturnType<typeof createEventRecorder> {
  if (client === undefined) return { event: () => {}, flush: async () => {} };
  return createEventRecorder({
    client,
    clock: realClock,
    random: systemRandom,
    component: "kubelet",
    reportingInstance: nodeName,
    api: "core",
  });
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.once("error", reject);
  });
}
