// containerd on a machine of the bench, at its usual places, with an image that needs no registry.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ociImage } from "../hack/image/oci.mjs";
import { canMakeMachines } from "./machine.mjs";
import { sleep } from "./steps/measure.mjs";

/** What `hack/install-test-tools.sh` lays beside the system's. */
const NEWER = fileURLToPath(new URL("../node_modules/.cache/containerd-1.7/usr/bin", import.meta.url));
const PAUSE_IMAGE = "registry.k8s.io/pause:3.10";
/** An image with busybox. */
export const IMAGE = "docker.io/library/busybox:1.36";
const TOOLS = ["containerd", "ctr", "runc", "busybox", "ip", "unshare", "nsenter"];
const PLUGINS = "/usr/lib/cni";
const ARCHIVE = "/opt/kybern/image.tar";
const START_TIMEOUT_MS = 20_000;

/** What is missing for pods on a real runtime; undefined where nothing is. */
export function missingForPods() {
  if (!canMakeMachines()) return "root, and namespaces";
  const missing = TOOLS.filter((tool) => spawnSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" }).status !== 0);
  if (!existsSync(join(PLUGINS, "bridge"))) missing.push(`CNI plugins in ${PLUGINS}`);
  return missing.length === 0 ? undefined : `${missing.join(", ")} (hack/install-test-tools.sh brings them)`;
}

/** Starts it; gives its version, and what ends it. */
export async function startContainerd(machine) {
  const path = existsSync(join(NEWER, "containerd")) ? NEWER : "";
  machine.write("/etc/containerd/config.toml", CONFIG);
  const program = machine.start(["containerd"], { path });
  // Nobody reads it.
  program.child.stdout.resume();
  const end = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await machine.run(["ctr", "version"], { path });
      break;
    } catch (error) {
      if (performance.now() > end || program.child.exitCode !== null)
        throw new Error(`containerd: ${program.output()}`, { cause: error });
      await sleep(50);
    }
  }
  machine.write(ARCHIVE, busyboxImage());
  await machine.run(["ctr", "--namespace=k8s.io", "images", "import", ARCHIVE], { path, timeoutMs: 60_000 });
  const version = /v?(\d+\.\d+\.\d+)/.exec(await machine.run(["containerd", "--version"], { path }))[1];
  return { version, stop: program.stop };
}

function busyboxImage() {
  const program = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  const applets = execFileSync(program, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const links = applets.filter((name) => name !== "busybox").map((name) => ({ path: `bin/${name}`, target: "busybox" }));
  const text = (path, content) => ({ path, data: Buffer.from(content), mode: 0o644 });
  const entries = [
    { path: "bin/busybox", data: readFileSync(program), mode: 0o755 },
    ...links,
    { path: "tmp", mode: 0o1777 },
    text("etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
    text("etc/group", "root:x:0:\nnobody:x:65534:\n"),
  ];
  const config = { Env: ["PATH=/bin"], Cmd: ["sleep", "2147483647"] };
  return ociImage({ layers: [entries], config, names: [PAUSE_IMAGE, IMAGE], cached: (_, make) => make() }).archive;
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
    bin_dir = "${PLUGINS}"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
