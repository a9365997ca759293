import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseKubeconfig } from "#client/kubeconfig.ts";
import { Containerd, type ContainerdVersion } from "./containerd.ts";
import { ImageRegistry } from "./image-registry.ts";
import { eventually, Kubectl } from "./kubectl.ts";
import { KubeletProgram } from "./kubelet-program.ts";
import { cgroupRoots, cgroupsBelow } from "./namespaces.ts";
import { busyboxImage } from "./oci-image.ts";
import { Program } from "./program.ts";

/** Name of the node. */
const NODE = "real-0";
const KIB = 1024;

/** What the kernel says of a process. */
export class WatchedProcess {
  readonly pid: number;

  constructor(pid: number) {
    this.pid = pid;
  }

  /** The most memory that it has had since {@link forgetPeak}, in bytes. */
  get peakBytes(): number {
    return this.#status("VmHWM");
  }

  get residentBytes(): number {
    return this.#status("VmRSS");
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /** How many sockets, pipes and files it has open. */
  get handles(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** What they are, each with its number. */
  get open(): readonly string[] {
    return readdirSync(`/proc/${this.pid}/fd`).flatMap((fd) => {
      try {
        return [`${fd} ${readlinkSync(`/proc/${this.pid}/fd/${fd}`)}`];
      } catch {
        return [];
      }
    });
  }

  #status(name: string): number {
    const line = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${this.pid}/status`, "utf8"));
    return Number(line?.[1]) * KIB;
  }
}

/** An API server, and a kubelet on a containerd of its own, each a process of its own that the kernel can be asked about. */
export class NodePrograms implements AsyncDisposable {
  readonly containerd: Containerd;
  readonly kubelet: KubeletProgram;
  /** An image with busybox, which sleeps. */
  readonly image: string;
  readonly kubeconfig: string;
  readonly #dir: string;
  readonly #registry: ImageRegistry;
  readonly #apiServer: Program;

  private constructor(parts: Pick<NodePrograms, "containerd" | "kubelet" | "image" | "kubeconfig">, own: Started) {
    this.containerd = parts.containerd;
    this.kubelet = parts.kubelet;
    this.image = parts.image;
    this.kubeconfig = parts.kubeconfig;
    this.#dir = own.dir;
    this.#registry = own.registry;
    this.#apiServer = own.apiServer;
  }

  /** Starts all; the node is ready when this resolves. `config`: fields of the kubelet's configuration. */
  static async start(version: ContainerdVersion, config: object): Promise<NodePrograms> {
    const dir = mkdtempSync(join(tmpdir(), "kybern-programs-"));
    const registry = new ImageRegistry();
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    const image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sleep", "2147483647"], Env: ["PATH=/bin"] }));
    const own = [
      "--nodes",
      "0",
      "--components",
      "kube-controller-manager",
      "--storage-backend",
      "memory",
      "--kubelet-preferred-address-types",
      "InternalIP",
    ];
    const apiServer = new Program(["up", "--data-dir", dir, "--secure-port", "0", ...own], { embedded: true });
    const containerd = await Containerd.start(version, pause);
    await containerd.images.pullImage({ image });
    await eventually(() => apiServer.stdout.includes("is up"), 30_000, "the banner of kybern up");
    const kubeconfig = readFileSync(join(dir, "admin.kubeconfig"), "utf8");
    const kubelet = await KubeletProgram.prepare(containerd);
    const programs = new NodePrograms({ containerd, kubelet, image, kubeconfig }, { dir, registry, apiServer });
    await programs.#join(config);
    return programs;
  }

  /** The two servers. */
  get servers(): { readonly apiServer: WatchedProcess; readonly kubelet: WatchedProcess } {
    return { apiServer: new WatchedProcess(this.#apiServer.pid), kubelet: new WatchedProcess(this.kubelet.program.pid) };
  }

  async #join(config: object): Promise<void> {
    const { kubelet, kubeconfig } = this;
    const { ca = "" } = parseKubeconfig(kubeconfig, () => "");
    const fields = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...config };
    await kubelet.start([
      `--config=${kubelet.write("config.json", JSON.stringify(fields))}`,
      `--kubeconfig=${kubelet.write("kubeconfig", kubeconfig)}`,
      `--client-ca-file=${kubelet.write("ca.pem", String(ca))}`,
      `--hostname-override=${NODE}`,
    ]);
    using kubectl = new Kubectl(kubeconfig);
    await eventually(() => kubectl.ok(["get", "serviceaccount", "default"]), 30_000, "the service account");
    await kubectl.ok(["wait", "--for=condition=Ready", `node/${NODE}`, "--timeout=30s"]);
  }

  /** A pod of one container on the node. `container`: its fields but name and image; those of the pod may be given too. */
  pod(name: string, container: object, spec: object = {}): object {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        nodeName: NODE,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "app", image: this.image, ...container }],
        ...spec,
      },
    };
  }

  /** Command lines of what runs in a container now, by process number. */
  processes(containerId: string): ReadonlyMap<number, string> {
    const [folder] = cgroupRoots().flatMap((root) =>
      cgroupsBelow(join(root, this.containerd.cgroupParent)).filter((path) => path.endsWith(containerId)),
    );
    if (folder === undefined) return new Map();
    const found = new Map<number, string>();
    for (const pid of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number)) {
      try {
        found.set(pid, readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim());
      } catch {
        // It has ended meanwhile.
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kubelet[Symbol.asyncDispose]();
    await this.#apiServer[Symbol.asyncDispose]();
    // Fails when something of a pod is left on the machine.
    try {
      await this.containerd[Symbol.asyncDispose]();
    } finally {
      await this.#registry[Symbol.asyncDispose]();
      rmSync(this.#dir, { recursive: true, force: true });
    }
  }
}

interface Started {
  readonly dir: string;
  readonly registry: ImageRegistry;
  readonly apiServer: Program;
}
