import { errnoOf } from "#base/host-files.ts";
import { isMountPoint } from "./mounter.ts";
import { PLUGINS } from "./pod-paths.ts";
import { type SetUpRequest, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";

const FOLDER_MODE = 0o750;

/** A folder of an NFS server; the node's `mount.nfs` mounts it (upstream's `nfs`). */
export async function setUpNfs(host: VolumeHost, { pod, volume }: SetUpRequest): Promise<SetUpVolume> {
  const { files, mounter, paths } = host;
  const { server = "", path: exported = "", readOnly = false } = volume.source.nfs ?? {};
  const isReadOnly = readOnly || volume.readOnly;
  const target = paths.volume(uidOf(pod), PLUGINS.nfs, volume.specName);
  if (!(await isMountPoint(mounter, target))) {
    await files.mkdir(target, { recursive: true, mode: FOLDER_MODE });
    const options = [...new Set([...volume.mountOptions, ...(isReadOnly ? ["ro"] : [])])];
    const authority = server.includes(":") ? `[${server}]` : server;
    try {
      await mounter.mount({ source: `${authority}:${exported}`, target, type: "nfs", options });
    } catch (error) {
      await files.rmdir(target).catch((failed: unknown) => {
        if (errnoOf(failed) !== "ENOENT") throw error;
      });
      throw error;
    }
  }
  return { path: target, readOnly: isReadOnly, relabel: false, hasFileSystem: true };
}
