/** What one plugin is told: its `type` is the name of its program, the rest is its own. */
export interface PluginConfiguration {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Plugins that are called one after the other for every pod, as CNI's configuration lists name them. */
export interface NetworkConfiguration {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginConfiguration[];
}

/** Of a configuration that names no version: CNI's first. */
const FIRST_VERSION = "0.1.0";
/** Names of networks, as the specification has them. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/**
 * Reads a configuration: a list of plugins (`.conflist`), or one plugin by itself (`.conf`, `.json`), which is a list of one.
 * Throws an error that says what is wrong, without the file's name.
 */
export function parseNetwork(text: string, isList: boolean): NetworkConfiguration {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (!isRecord(value)) throw new Error("is not a JSON object");
  const { name, cniVersion = FIRST_VERSION } = value;
  if (typeof name !== "string" || !NAME.test(name)) throw new Error('has no proper "name"');
  if (typeof cniVersion !== "string") throw new Error('has a "cniVersion" that is no text');
  const listed = isList ? value.plugins : [value];
  if (!Array.isArray(listed) || listed.length === 0) throw new Error('has no "plugins"');
  const plugins = listed.map((plugin): PluginConfiguration => {
    if (!isRecord(plugin) || typeof plugin.type !== "string" || plugin.type === "")
      throw new Error('has a plugin without "type"');
    return { ...plugin, type: plugin.type };
  });
  return { cniVersion, name, plugins };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
