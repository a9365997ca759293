import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigurationError, type ConfigurationKind, readConfiguration } from "#apiserver/configuration-file.ts";
import { withDefaults } from "#kubelet/configuration/defaults.ts";
import { configurationFields } from "#kubelet/configuration/fields.ts";
import type { KubeletConfiguration, KubeletConfigurationPart } from "#kubelet/configuration/kubelet-configuration.ts";
import { validateConfiguration } from "#kubelet/configuration/validation.ts";

const KIND: ConfigurationKind = {
  kind: "KubeletConfiguration",
  apiVersions: ["kubelet.config.k8s.io/v1beta1"],
  fields: configurationFields,
};
/** Files of a folder of drop-ins that count. */
const DROP_IN = ".conf";
/** Fields that name files, which may be relative to the configuration. */
const PATHS = ["staticPodPath", "tlsCertFile", "tlsPrivateKeyFile", "resolvConf", "podLogsDir"];

/** What `--config` and `--config-dir` name. */
export interface ConfigurationFiles {
  readonly config: string;
  readonly configDir: string;
}

/** What a start goes by. */
export interface CompleteConfiguration {
  readonly configuration: KubeletConfiguration;
  /** Whether a file said any of it. */
  readonly fromFile: boolean;
}

/**
 * The configuration of a kubelet: defaults, then `--config`, then its drop-ins, then what flags say, which wins. `--config`
 * of former years named a folder of manifests, or one of them: it then says where manifests are. Rejects with a
 * {@link ConfigurationError} in upstream's words.
 */
export async function completeConfiguration(
  { config, configDir }: ConfigurationFiles,
  flags: KubeletConfigurationPart,
): Promise<CompleteConfiguration> {
  const main = config === "" ? { part: {}, isConfiguration: false } : await readMain(config);
  const dropIns = configDir === "" ? [] : await readDropIns(configDir);
  const files = dropIns.reduce<object>(merged, main.part) as KubeletConfigurationPart;
  const featureGates = { ...files.featureGates, ...flags.featureGates };
  const said = { ...overlaid(files, flags), ...(Object.keys(featureGates).length === 0 ? {} : { featureGates }) };
  const configuration = withDefaults(said);
  const problems = validateConfiguration(configuration);
  if (problems.length > 0) {
    const all = problems.length === 1 ? problems[0] : `[${problems.join(", ")}]`;
    throw new ConfigurationError(`failed to validate kubelet configuration, error: ${all}`);
  }
  return { configuration, fromFile: main.isConfiguration || dropIns.length > 0 };
}

async function readMain(path: string): Promise<{ part: KubeletConfigurationPart; isConfiguration: boolean }> {
  const manifests = { part: { staticPodPath: path }, isConfiguration: false };
  if ((await stat(path)).isDirectory()) return manifests;
  const text = await readFile(path, "utf8");
  return isManifest(text) ? manifests : { part: readPart(text, path), isConfiguration: true };
}

/** A pod's manifest says its kind at the left margin, as YAML or as JSON. */
function isManifest(text: string): boolean {
  return /^kind:\s*["']?(Pod|PodList|List)["']?\s*$/m.test(text) || /^\s*\{[\s\S]*"kind"\s*:\s*"(Pod|PodList)"/.test(text);
}

async function readDropIns(dir: string): Promise<readonly KubeletConfigurationPart[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(DROP_IN))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(paths.map(async (path) => readPart(await readFile(path, "utf8"), path)));
}

function readPart(text: string, path: string): KubeletConfigurationPart {
  const part = readConfiguration(text, path, KIND) as Record<string, unknown>;
  const base = dirname(resolve(path));
  const absolute = (value: unknown): string => resolve(base, String(value));
  for (const field of PATHS) if (part[field] !== undefined && part[field] !== "") part[field] = absolute(part[field]);
  const x509 = (part.authentication as { x509?: { clientCAFile?: string } } | undefined)?.x509;
  if (x509?.clientCAFile !== undefined && x509.clientCAFile !== "") x509.clientCAFile = absolute(x509.clientCAFile);
  return part as KubeletConfigurationPart;
}

/** As a JSON merge patch: objects member by member, all else as a whole. */
function merged(below: unknown, above: unknown): object {
  const result: Record<string, unknown> = { ...(below as object) };
  for (const [name, value] of Object.entries(above as object)) {
    result[name] = isObject(value) && isObject(result[name]) ? merged(result[name], value) : value;
  }
  return result;
}

/** Fields inside `authentication` and `authorization` win one by one; maps as a whole, as upstream's flags. */
function overlaid(files: KubeletConfigurationPart, flags: KubeletConfigurationPart): KubeletConfigurationPart {
  return {
    ...files,
    ...flags,
    authentication: merged(files.authentication ?? {}, flags.authentication ?? {}),
    authorization: merged(files.authorization ?? {}, flags.authorization ?? {}),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
