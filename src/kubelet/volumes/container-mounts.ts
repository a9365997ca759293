import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Container, Pod, VolumeDevice, VolumeMount } from "#api/generated/core/v1.ts";
import { errnoOf } from "#base/host-files.ts";
import type { Device, ImageSpec, Mount } from "#cri/container.ts";
import { HOSTS_PATH } from "../network-files/hosts-file.ts";
import { hasBacksteps } from "./host-path.ts";
import { bindSubPath, makeSubPath } from "./sub-path.ts";
import { type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";
import type { ContainerMounts } from "./volume-manager.ts";

const PROPAGATIONS: Readonly<Record<string, NonNullable<Mount["propagation"]>>> = {
  None: "PROPAGATION_PRIVATE",
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
  Bidirectional: "PROPAGATION_BIDIRECTIONAL",
};
/** Reference of a variable; two dollar signs stand for one. */
const REFERENCE = /\$\$|\$\(([^()]*)\)/g;
const FOLDER_MODE = 0o750;
/** Containers write their last word whoever they run as. */
const LOG_MODE = 0o666;
/** Of the name of a termination log, in letters. */
const LOG_NAME_LENGTH = 8;

/** What is to be mounted into one attempt of a container. */
export interface ContainerMountsRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  /** The pod's volumes by their names. */
  readonly volumes: ReadonlyMap<string, { readonly specName: string; readonly setUp: SetUpVolume }>;
  /** The file that is the pod's `/etc/hosts`; undefined where there is none to be mounted. */
  readonly hostsFile: string | undefined;
  readonly expand: (text: string) => string;
  /** The runtime can make a mount read-only with all that is mounted within it. */
  readonly supportsRecursiveReadOnly: boolean;
  /** The image of a volume, pulled. */
  readonly imageOf: (pod: Pod, image: NonNullable<SetUpVolume["image"]>) => Promise<ImageSpec>;
}

/** The mounts of a container (upstream's `makeMounts`), and its termination log. Rejects in upstream's words. */
export async function containerMounts(
  host: VolumeHost,
  request: ContainerMountsRequest,
): Promise<ContainerMounts & { readonly devices: readonly Device[] }> {
  const devices = (request.container.volumeDevices ?? []).map((device) => deviceOf(request, device));
  const { pod, container, hostsFile } = request;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) mounts.push(await mountOf(host, request, mount, index));
  const hasOwnHosts = mounts.some(({ containerPath }) => containerPath === HOSTS_PATH);
  if (hostsFile !== undefined && !hasOwnHosts)
    mounts.push({ containerPath: HOSTS_PATH, hostPath: hostsFile, selinuxRelabel: true });
  const { terminationMessagePath = "" } = container;
  if (terminationMessagePath === "") return { mounts, devices, terminationLogPath: "" };
  const terminationLogPath = await terminationLog(host, pod, container, request.attempt);
  mounts.push({ containerPath: terminationMessagePath, hostPath: terminationLogPath, selinuxRelabel: true });
  return { mounts, devices, terminationLogPath };
}

function deviceOf({ volumes, container }: ContainerMountsRequest, { name, devicePath }: VolumeDevice): Device {
  if (!devicePath.startsWith("/")) throw new Error(`error DevicePath \`${devicePath}\` must be an absolute path`);
  const { setUp } = volumes.get(name) ?? {};
  if (setUp?.isDevice !== true) throw new Error(`cannot find volume "${name}" to pass into container "${container.name}"`);
  return { hostPath: setUp.path, containerPath: devicePath, permissions: setUp.readOnly ? "r" : "mrw" };
}

async function mountOf(host: VolumeHost, request: ContainerMountsRequest, mount: VolumeMount, index: number): Promise<Mount> {
  const { pod, container, volumes, expand, supportsRecursiveReadOnly } = request;
  const { name, mountPath, readOnly = false, mountPropagation = "None" } = mount;
  const volume = volumes.get(name);
  if (volume === undefined || volume.setUp.isDevice === true)
    throw new Error(`cannot find volume "${name}" to mount into container "${container.name}"`);
  const { setUp, specName } = volume;
  const subPath = subPathOf(mount, expand);
  const source =
    setUp.image !== undefined
      ? { hostPath: "", image: await request.imageOf(pod, setUp.image), ...(subPath === "" ? {} : { imageSubPath: subPath }) }
      : {
          hostPath:
            subPath === "" ? setUp.path : await boundSubPath(host, { pod, container, name, specName, index }, setUp, subPath),
        };
  const propagation = PROPAGATIONS[mountPropagation];
  if (propagation === undefined) throw new Error(`invalid MountPropagation mode: "${mountPropagation}"`);
  return {
    containerPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
    ...source,
    readonly: readOnly || setUp.readOnly,
    recursiveReadOnly: isRecursiveReadOnly(mount, supportsRecursiveReadOnly),
    selinuxRelabel: setUp.relabel,
    propagation,
  };
}

/** The part of the volume that is mounted, with the values of variables; empty for the whole. Throws for paths that lead out of it. */
export function subPathOf({ subPath = "", subPathExpr = "" }: VolumeMount, expand: (text: string) => string): string {
  for (const [reference, name = ""] of subPathExpr.matchAll(REFERENCE)) {
    if (reference !== "$$" && expand(reference) === reference) throw new Error(`missing value for "${name}"`);
  }
  const path = subPathExpr === "" ? subPath : expand(subPathExpr);
  if (path.startsWith("/")) throw new Error(`error SubPath \`${path}\` must not be an absolute path`);
  if (hasBacksteps(path)) throw new Error(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

interface SubPathPlace {
  readonly pod: Pod;
  readonly container: Container;
  readonly name: string;
  readonly specName: string;
  readonly index: number;
}

/** What went wrong in detail is not told, since it would tell of the node's files. */
async function boundSubPath(host: VolumeHost, place: SubPathPlace, { path }: SetUpVolume, subPath: string): Promise<string> {
  const { pod, container, name, specName, index } = place;
  const target = host.paths.subPath(uidOf(pod), specName, container.name, index);
  const request = { volumePath: path, subPath, target };
  const where = `for volumeMount "${name}" of container "${container.name}"`;
  await makeSubPath(host, request).catch((cause: unknown) => {
    throw new Error(`failed to create subPath directory ${where}`, { cause });
  });
  await bindSubPath(host, request).catch((cause: unknown) => {
    throw new Error(`failed to prepare subPath ${where}`, { cause });
  });
  return target;
}

/** Whether what is mounted within is read-only too (upstream's `resolveRecursiveReadOnly`). */
export function isRecursiveReadOnly(mount: VolumeMount, isSupported: boolean): boolean {
  const { name, readOnly = false, recursiveReadOnly = "Disabled", mountPropagation = "None" } = mount;
  if (recursiveReadOnly === "Disabled") return false;
  const asked = `volume "${name}" requested recursive read-only mode, but it is not`;
  if (!readOnly) throw new Error(`failed to resolve recursive read-only mode: ${asked} read-only`);
  if (mountPropagation !== "None") {
    throw new Error(`failed to resolve recursive read-only mode: ${asked} compatible with propagation "${mountPropagation}"`);
  }
  if (recursiveReadOnly === "IfPossible") return isSupported;
  if (!isSupported) throw new Error(`failed to resolve recursive read-only mode: ${asked} supported by the runtime`);
  return true;
}

/** Makes the file of a container's last word; each attempt has its own. */
async function terminationLog(host: VolumeHost, pod: Pod, { name }: Container, attempt: number): Promise<string> {
  const { files, paths } = host;
  const folder = paths.container(uidOf(pod), name);
  await files.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const hash = createHash("sha256")
    .update(`${uidOf(pod)}/${name}/${attempt}`)
    .digest("hex");
  const path = posix.join(folder, hash.slice(0, LOG_NAME_LENGTH));
  await files.writeFile(path, "", { mode: LOG_MODE, flag: "wx" }).catch((error: unknown) => {
    if (errnoOf(error) !== "EEXIST") throw error;
  });
  await files.chmod(path, LOG_MODE);
  return path;
}
