import { rmSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { realClock } from "#base/clock.ts";
import { CriChannel } from "#cri/remote/cri-channel.ts";
import { RemoteImages } from "#cri/remote/remote-images.ts";
import { RemoteRuntime } from "#cri/remote/remote-runtime.ts";
import type { ContainerdVersion } from "./containerd.ts";
import { busyboxImage, imageArchive } from "./oci-image.ts";
import type { HostProgram, TestHost } from "./test-host.ts";

/** Where containerd of a usual machine listens. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
/** The image of sandboxes. */
export const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";
/** An image with busybox, for pods. */
export const BUSYBOX_IMAGE = "docker.io/library/busybox:1.36";

/** How long it may take to start, in milliseconds. */
const PATIENCE_MS = 20_000;

/** containerd on a {@link TestHost}, at its usual places, as a distribution starts it. It goes with the machine. */
export class HostContainerd {
  readonly #host: TestHost;
  readonly #bin: string;
  #program: HostProgram | undefined;

  private constructor(host: TestHost, bin: string) {
    this.#host = host;
    this.#bin = bin;
  }

  /** Sets it up with an image of busybox, and starts it. */
  static async start(host: TestHost, { bin }: ContainerdVersion): Promise<HostContainerd> {
    const containerd = new HostContainerd(host, bin);
    host.write("/etc/containerd/config.toml", CONFIG);
    await containerd.launch();
    const image = busyboxImage({ Cmd: ["sleep", "2147483647"], Env: ["PATH=/bin"] });
    await containerd.importImage(imageArchive(image, [PAUSE_IMAGE, BUSYBOX_IMAGE]));
    return containerd;
  }

  /** Starts it, for the first time or again. */
  async launch(): Promise<void> {
    const program = this.#host.start([this.#bin === "" ? "containerd" : `${this.#bin}/containerd`], {
      env: { PATH: `${this.#bin}:/usr/sbin:/usr/bin:/sbin:/bin` },
    });
    this.#program = program;
    const end = performance.now() + PATIENCE_MS;
    while ((await this.#host.tryRun(["ctr", "version"])).code !== 0) {
      if (!program.isRunning || performance.now() > end) throw new Error(`containerd: ${program.output}`);
      await setTimeout(50);
    }
  }

  get program(): HostProgram {
    if (this.#program === undefined) throw new Error("containerd was not started");
    return this.#program;
  }

  /** Takes an image's archive in, under the names that it carries. */
  async importImage(archive: Buffer): Promise<void> {
    const path = "/var/lib/image.tar";
    writeFileSync(this.#host.path(path), archive);
    try {
      await this.#host.run(["ctr", "--namespace=k8s.io", "images", "import", path], { timeoutMs: 120_000 });
    } finally {
      rmSync(this.#host.path(path));
    }
  }

  /** A client for the test. The caller closes the channel. */
  connect(): { channel: CriChannel; runtime: RemoteRuntime; images: RemoteImages } {
    const channel = new CriChannel(this.#host.path(CONTAINERD_SOCKET), realClock);
    return { channel, runtime: new RemoteRuntime(channel), images: new RemoteImages(channel) };
  }
}

const CONFIG = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  enable_cdi = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
