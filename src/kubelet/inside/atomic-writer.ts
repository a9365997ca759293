import type { MemoryFiles } from "#cri/fake/memory-files.ts";
import { parentOf } from "#cri/fake/memory-files.ts";
import type { VolumeFiles } from "./volume-files.ts";

const DATA = "..data";

/**
 * Puts files into a volume so that all of them change at once (upstream's AtomicWriter): they are in a folder of their
 * own, `..data` is a link to it, and what is seen are links through `..data`.
 */
export function writeAtomically(volume: MemoryFiles, files: VolumeFiles, nowMs: number): void {
  const stamp = new Date(nowMs).toISOString().replace(/[-:T]/g, "_").replace("Z", "");
  let folder = `..${stamp}000000`;
  for (let i = 1; volume.find(`/${folder}`) !== undefined; i++) folder = `..${stamp}${String(i).padStart(6, "0")}`;
  volume.makeDirectory(`/${folder}`, nowMs, true);
  for (const [path, { data, mode }] of files) {
    volume.makeDirectory(parentOf(`/${folder}/${path}`), nowMs, true);
    volume.write(`/${folder}/${path}`, data, nowMs, { mode });
  }
  const before = volume.find(`/${DATA}`, false)?.data.toString();
  volume.remove(`/${DATA}`);
  volume.link(`/${DATA}`, folder, nowMs);
  if (before !== undefined) volume.remove(`/${before}`);
  const names = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
  for (const name of volume.list("/")) if (!name.startsWith("..") && !names.has(name)) volume.remove(`/${name}`);
  for (const name of names) {
    if (volume.find(`/${name}`, false) === undefined) volume.link(`/${name}`, `${DATA}/${name}`, nowMs);
  }
}
