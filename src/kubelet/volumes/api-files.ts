import { posix } from "node:path";
import type { Pod } from "#api/generated/core/v1.ts";
import { volumeFiles } from "../inside/volume-files.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { makeEmptyDir } from "./empty-dir.ts";
import { isWithin } from "./mount-info.ts";
import { setOwnership } from "./ownership.ts";
import { PLUGINS } from "./pod-paths.ts";
import { type SetUpRequest, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";

/** Folders for what is mounted within the volume. */
const NESTED_MODE = 0o755;

/**
 * A volume of files from the API: `configMap`, `secret`, `downwardAPI`, `projected`. Done again it brings them up to date. All
 * but those of ConfigMaps are in memory. Rejects with `MissingReferenceError` for what is not there.
 */
export async function setUpFiles(host: VolumeHost, { pod, volume, situation }: SetUpRequest): Promise<SetUpVolume> {
  const { specName: name, source } = volume;
  // What is not there is told before anything is made.
  const payload = await volumeFiles({ ...source, name }, situation);
  const path = host.paths.volume(uidOf(pod), pluginOf(source), name);
  const medium = source.configMap === undefined ? { medium: "Memory" } : {};
  await makeEmptyDir(host, { pod, name: `wrapped_${name}`, path, source: medium });
  await makeNested(host, pod, volume.name, path);
  const fsGroup = pod.spec.securityContext?.fsGroup;
  await writeAtomically(host.files, path, payload, {
    nowMs: host.clock.now(),
    setPermissions: () => setOwnership(host.files, path, { fsGroup, readOnly: true }),
  });
  return { path, readOnly: true, relabel: true };
}

function pluginOf({ configMap, secret, downwardAPI }: SetUpRequest["volume"]["source"]): string {
  if (configMap !== undefined) return PLUGINS.configMap;
  if (secret !== undefined) return PLUGINS.secret;
  return downwardAPI !== undefined ? PLUGINS.downwardApi : PLUGINS.projected;
}

/** What a container mounts within the volume needs a folder there, since nothing can be made in a volume that is only read. */
async function makeNested({ files }: VolumeHost, { spec }: Pod, name: string, path: string): Promise<void> {
  for (const { volumeMounts = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    const at = volumeMounts.filter((mount) => mount.name === name).map(({ mountPath }) => posix.normalize(`${mountPath}/`));
    for (const outer of at) {
      for (const { mountPath } of volumeMounts) {
        const inner = posix.normalize(mountPath);
        if (inner === outer.slice(0, -1) || !isWithin(inner, outer.slice(0, -1))) continue;
        const relative = posix.relative(outer, inner);
        if (relative.startsWith("..")) throw new Error(`mount path "${mountPath}" cannot be within volume "${name}"`);
        await files.mkdir(posix.join(path, relative), { recursive: true, mode: NESTED_MODE });
      }
    }
  }
}
