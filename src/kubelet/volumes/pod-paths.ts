import { posix } from "node:path";

const { join } = posix;

/** Names of volume plugins, as folders and objects have them. */
export const PLUGINS = {
  emptyDir: "kubernetes.io/empty-dir",
  hostPath: "kubernetes.io/host-path",
  configMap: "kubernetes.io/configmap",
  secret: "kubernetes.io/secret",
  downwardApi: "kubernetes.io/downward-api",
  projected: "kubernetes.io/projected",
  nfs: "kubernetes.io/nfs",
  local: "kubernetes.io/local-volume",
  image: "kubernetes.io/image",
  csi: "kubernetes.io/csi",
} as const;

/** Where things of pods are under the kubelet's root folder; everything is where upstream's kubelet has it. */
export class PodPaths {
  /** The kubelet's root folder, as `--root-dir`; without symbolic links. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** The folders of all pods. */
  get pods(): string {
    return join(this.root, "pods");
  }

  pod(uid: string): string {
    return join(this.pods, part(uid));
  }

  volumes(uid: string): string {
    return join(this.pod(uid), "volumes");
  }

  plugins(uid: string): string {
    return join(this.pod(uid), "plugins");
  }

  volume(uid: string, plugin: string, name: string): string {
    return join(this.volumes(uid), onDisk(plugin), part(name));
  }

  /** What a plugin remembers of a volume. */
  meta(uid: string, plugin: string, name: string): string {
    return join(this.plugins(uid), onDisk(plugin), part(name));
  }

  /** A link to a device that containers get as such. */
  device(uid: string, plugin: string, name: string): string {
    return join(this.pod(uid), "volumeDevices", onDisk(plugin), part(name));
  }

  /** Where local volumes that are devices are mounted for all pods. */
  get localDevices(): string {
    return join(this.root, "plugins", PLUGINS.local, "mounts");
  }

  hostsFile(uid: string): string {
    return join(this.pod(uid), "etc-hosts");
  }

  /** What belongs to one container: the termination logs of its attempts. */
  container(uid: string, name: string): string {
    return join(this.pod(uid), "containers", part(name));
  }

  /** Parts of volumes that containers mount; where one of them is mounted for that. */
  subPaths(uid: string): string {
    return join(this.pod(uid), "volume-subpaths");
  }

  subPath(uid: string, volume: string, container: string, index: number): string {
    return join(this.subPaths(uid), part(volume), part(container), String(index));
  }

  /** Where a pod's part of the user ids of the node is written down. */
  userNamespace(uid: string): string {
    return join(this.pod(uid), "userns");
  }
}

/** Plugins' names have a slash, which folders' names cannot have. */
function onDisk(plugin: string): string {
  return plugin.replaceAll("/", "~");
}

/** The API server has seen to names; pods of files and URLs have not been there. */
function part(name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw new Error(`"${name}" cannot be the name of a folder`);
  }
  return name;
}
