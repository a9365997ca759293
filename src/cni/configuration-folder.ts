import { errnoOf, type HostFiles } from "#base/host-files.ts";
import { type NetworkConfiguration, parseNetwork } from "./network-configuration.ts";

/** A file of a folder of configurations: what it says, or what is wrong with it. */
export type ConfigurationFile =
  | { readonly file: string; readonly network: NetworkConfiguration }
  | { readonly file: string; readonly error: string };

/** Longest file that is read, in bytes. */
const FILE_BYTES_MAX: number = 1024 * 1024;

/**
 * The configurations of a folder in the order in which runtimes take them: by file name, the first good one is the network of pods.
 * None when there is no such folder.
 */
export async function readConfigurations(files: HostFiles, folder: string): Promise<readonly ConfigurationFile[]> {
  const names = await files.readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  });
  const found = names.filter((name) => /\.(conflist|conf|json)$/.test(name)).sort();
  return await Promise.all(found.map((file) => readConfiguration(files, `${folder}/${file}`, file)));
}

async function readConfiguration(files: HostFiles, path: string, file: string): Promise<ConfigurationFile> {
  try {
    const { size } = await files.stat(path);
    if (size > FILE_BYTES_MAX) return { file, error: `is longer than ${FILE_BYTES_MAX} bytes` };
    return { file, network: parseNetwork(await files.readFile(path, "utf8"), file.endsWith(".conflist")) };
  } catch (error) {
    return { file, error: error instanceof Error ? error.message : String(error) };
  }
}
