import type { HostFiles } from "#base/host-files.ts";
import { type BridgeOptions, bridgeNetwork, LOOPBACK_NETWORK } from "./bridge-network.ts";
import { readConfigurations } from "./configuration-folder.ts";
import type { NetworkConfiguration } from "./network-configuration.ts";

/** Where runtimes look for the network of pods. */
export const CONFIGURATION_FOLDER = "/etc/cni/net.d";
/** The file of the network that is written here. */
export const NETWORK_FILE = "10-kybern.conflist";
/** Runtimes that take more than one network take this one too; others stop at the first. */
const LOOPBACK_FILE = "99-loopback.conf";

/** What {@link writeNodeNetwork} found and did. */
export type NodeNetworkOutcome =
  /** Files were written, or stood there as they had to. */
  | { readonly outcome: "written" | "unchanged" }
  /** Somebody else's network comes first, and is left to be the network of pods. */
  | { readonly outcome: "foreign"; readonly file: string };

/**
 * Writes the network of a node's pods for its container runtime, which takes it up by itself. Nothing is written where somebody
 * else's network stands in the folder: whoever put it there wants it. Rejects when files cannot be written.
 */
export async function writeNodeNetwork(
  files: HostFiles,
  options: BridgeOptions,
  folder: string = CONFIGURATION_FOLDER,
): Promise<NodeNetworkOutcome> {
  const found = await readConfigurations(files, folder);
  const foreign = found.find((one) => "network" in one && one.file !== NETWORK_FILE && one.file !== LOOPBACK_FILE);
  if (foreign !== undefined) return { outcome: "foreign", file: foreign.file };
  await files.mkdir(folder, { recursive: true });
  const changed = [
    await writeConfiguration(files, `${folder}/${NETWORK_FILE}`, bridgeNetwork(options)),
    await writeConfiguration(files, `${folder}/${LOOPBACK_FILE}`, LOOPBACK_NETWORK),
  ];
  return { outcome: changed.includes(true) ? "written" : "unchanged" };
}

/** Takes back what {@link writeNodeNetwork} wrote; nothing of somebody else's. */
export async function removeNodeNetwork(files: HostFiles, folder: string = CONFIGURATION_FOLDER): Promise<void> {
  for (const file of [NETWORK_FILE, LOOPBACK_FILE]) await files.rm(`${folder}/${file}`, { force: true });
}

/** Whole or not at all: runtimes read the folder at any time. */
async function writeConfiguration(files: HostFiles, path: string, network: NetworkConfiguration): Promise<boolean> {
  const [plugin] = network.plugins;
  const value = path.endsWith(".conflist") ? network : { cniVersion: network.cniVersion, name: network.name, ...plugin };
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if ((await files.readFile(path, "utf8").catch(() => undefined)) === text) return false;
  await files.writeFile(`${path}.new`, text, { mode: 0o644 });
  await files.rename(`${path}.new`, path);
  return true;
}
