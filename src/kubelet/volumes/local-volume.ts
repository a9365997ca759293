import { posix } from "node:path";
import { hasBacksteps } from "./host-path.ts";
import { isWithin } from "./mount-info.ts";
import { isMountPoint } from "./mounter.ts";
import { setOwnership } from "./ownership.ts";
import { PLUGINS } from "./pod-paths.ts";
import { type ResolvedVolume, type SetUpRequest, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";

const FOLDER_MODE = 0o750;
const DEFAULT_TYPE = "ext4";

/** A folder of the node that is a persistent volume; it is mounted for each pod that uses it (upstream's `local`). */
export async function setUpLocal(host: VolumeHost, { pod, volume }: SetUpRequest): Promise<SetUpVolume> {
  const { files, mounter, paths } = host;
  const { path = "" } = volume.source.local ?? {};
  if (path === "") throw new Error(`LocalVolume volume "${volume.specName}" path is empty`);
  if (hasBacksteps(path)) throw new Error(`invalid path: ${path} must not contain '..'`);
  const target = paths.volume(uidOf(pod), PLUGINS.local, volume.specName);
  if (!(await isMountPoint(mounter, target))) {
    const found = await files.stat(path);
    if (!found.isDirectory() && !found.isBlockDevice()) throw new Error("only directory and block device are supported");
    const device = found.isBlockDevice() ? await mountDevice(host, await files.realpath(path), volume) : undefined;
    const source = device ?? (await files.realpath(path));
    // Its files are given to the group by the first pod that uses it.
    const isFirst = !(await isUsed(host, volume.specName));
    await files.mkdir(target, { recursive: true, mode: FOLDER_MODE });
    await mounter.mount({
      source,
      target,
      type: "",
      options: ["bind", ...volume.mountOptions, ...(volume.readOnly ? ["ro"] : [])],
    });
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    const onRootMismatch = fsGroupChangePolicy === "OnRootMismatch";
    if (isFirst && !volume.readOnly) await setOwnership(files, target, { fsGroup, readOnly: false, onRootMismatch });
  }
  return { path: target, readOnly: volume.readOnly, relabel: true, hasFileSystem: true };
}

/** Mounts a device once for all pods that use it. Where it is mounted. */
async function mountDevice({ files, mounter, paths }: VolumeHost, source: string, volume: ResolvedVolume): Promise<string> {
  const target = posix.join(paths.localDevices, volume.specName);
  if (await isMountPoint(mounter, target)) return target;
  await files.mkdir(target, { recursive: true, mode: FOLDER_MODE });
  const type = volume.source.local?.fsType ?? DEFAULT_TYPE;
  await mounter.mountDevice({
    source,
    target,
    type,
    options: [...volume.mountOptions, ...(volume.readOnly ? ["ro"] : []), "defaults"],
  });
  return target;
}

/** Unmounts devices that no pod uses any more. */
export async function releaseDevices({ files, mounter, paths }: VolumeHost): Promise<void> {
  const mounts = await mounter.list();
  const used = new Set(mounts.filter(({ path }) => isWithin(path, paths.pods)).map(({ device }) => device));
  for (const { path, device } of mounts) {
    if (!isWithin(path, paths.localDevices) || used.has(device)) continue;
    await mounter.unmount(path);
    await files.rmdir(path);
  }
}

/** Whether some pod has mounted the volume. */
async function isUsed({ mounter, paths }: VolumeHost, name: string): Promise<boolean> {
  const end = `/volumes/${PLUGINS.local.replace("/", "~")}/${name}`;
  return (await mounter.list()).some(({ path }) => path.startsWith(`${paths.pods}/`) && path.endsWith(end));
}
