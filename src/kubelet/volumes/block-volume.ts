import { posix } from "node:path";
import { errnoOf } from "#base/host-files.ts";
import { PLUGINS } from "./pod-paths.ts";
import { type SetUpRequest, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";

const FOLDER_MODE = 0o750;

/** A device of the node that containers get as such; it is found by a link in the pod's folder (upstream's `MapPodDevice`). */
export async function setUpDevice(host: VolumeHost, { pod, volume }: SetUpRequest): Promise<SetUpVolume> {
  const { files, paths } = host;
  const { path = "" } = volume.source.local ?? {};
  const device = await files.realpath(path);
  if (!(await files.stat(device)).isBlockDevice()) throw new Error(`path ${path} is not a block device`);
  const link = paths.device(uidOf(pod), PLUGINS.local, volume.specName);
  await files.mkdir(posix.dirname(link), { recursive: true, mode: FOLDER_MODE });
  const before = await files.readlink(link).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (before !== device) {
    if (before !== undefined) await files.unlink(link);
    await files.symlink(device, link);
  }
  return { path: link, readOnly: volume.readOnly, relabel: false, isDevice: true };
}
