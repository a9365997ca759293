import { knownGroupVersions } from "#apimachinery/schema/registry.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";

/** A `--runtime-config` that cannot be obeyed, in upstream's words. */
export class RuntimeConfigError extends Error {
  override readonly name = "RuntimeConfigError";
}

/** Versions that v1.36 does not even know, and that guides of their time ask for: they are named in a warning. */
const FORGOTTEN: readonly string[] = [
  "apps/v1alpha1",
  "autoscaling/v2alpha1",
  "autoscaling/v2beta1",
  "autoscaling/v2beta2",
  "batch/v2alpha1",
  "policy/v1alpha1",
  "scheduling.k8s.io/v1alpha1",
  "settings.k8s.io/v1alpha1",
];

/** In the order in which they count. */
const LEVELS: readonly (readonly [key: string, matches: RegExp])[] = [
  ["api/all", /^/],
  ["api/ga", /^v\d+$/],
  ["api/beta", /^v\d+beta\d+$/],
  ["api/alpha", /^v\d+alpha\d+$/],
];
const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True", ""]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/**
 * Which versions of the API are served: upstream's `resourceconfig`. Stable ones are unless a key of the flag says otherwise,
 * others are not. A key for a version counts more than one for a level, and one for a resource counts most.
 */
export class RuntimeConfig {
  readonly #levels = new Map<string, boolean>();
  readonly #versions = new Map<string, boolean>();
  readonly #resources = new Map<string, boolean>();
  /** Versions asked for of which v1.36 has no types. */
  readonly forgotten: readonly string[];

  /** From the flag's values: `KEY` or `KEY=VALUE` each. Throws a {@link RuntimeConfigError}. */
  constructor(values: readonly string[] = []) {
    const pairs = new Map(values.filter((value) => value !== "").map(keyAndValue));
    if (pairs.size === 1 && pairs.get("api/all") === "false") {
      throw new RuntimeConfigError("invalid runtime-config with only api/all=false");
    }
    const keys = [...pairs].filter(([key]) => !LEVELS.some(([level]) => level === key));
    checkKeys(keys.map(([key]) => key));
    for (const [level] of LEVELS) {
      const value = pairs.get(level);
      if (value === undefined) continue;
      if (value !== "true" && value !== "false") throw new RuntimeConfigError(`invalid value ${level}=${value}`);
      this.#levels.set(level, value === "true");
    }
    const forgotten = new Set<string>();
    for (const [key, value] of keys) {
      const [group = "", version = "", resource] = key.split("/");
      const groupVersion = `${group}/${version}`;
      if (FORGOTTEN.includes(groupVersion)) forgotten.add(groupVersion);
      else if (!isKnown(groupVersion)) {
        throw new RuntimeConfigError(`group version ${group === "" ? version : groupVersion} that has not been registered`);
      }
      const enabled = readBool(key, value);
      if (resource === undefined) this.#versions.set(groupVersion, enabled);
      else if (resource === resource.toLowerCase()) this.#resources.set(key, enabled);
      else {
        const rule = "group/version/resource and resource is always lowercase plural";
        throw new RuntimeConfigError(`invalid key ${key}: ${rule}, not ${goQuote(resource)}`);
      }
    }
    this.forgotten = [...forgotten];
  }

  /** Whether a version that v1.36 serves, if only when asked to, is to serve a resource. */
  serves(group: string, version: string, resource: string): boolean {
    return this.#asked(group, version, resource) ?? this.#level(version);
  }

  /**
   * Whether a resource is to be served in a version that v1.36 serves it in no more: only where the flag names it, or the
   * version, of which `shared` says that v1.36 serves other resources in it.
   */
  servesOld(group: string, version: string, resource: string, shared: boolean): boolean {
    const named = this.#resources.get(`${group}/${version}/${resource}`);
    return named ?? (!shared && this.#versions.get(`${group}/${version}`) === true);
  }

  /** Versions that the flag turns on by their names, or by those of resources in them. */
  get named(): readonly string[] {
    const on = [...this.#versions, ...this.#resources].filter(([, enabled]) => enabled);
    const versions = new Set(on.map(([key]) => key.split("/").slice(0, 2).join("/")));
    return [...versions].filter((version) => !this.forgotten.includes(version));
  }

  #asked(group: string, version: string, resource: string): boolean | undefined {
    return this.#resources.get(`${group}/${version}/${resource}`) ?? this.#versions.get(`${group}/${version}`);
  }

  #level(version: string): boolean {
    let enabled = /^v\d+$/.test(version);
    for (const [level, pattern] of LEVELS) if (pattern.test(version)) enabled = this.#levels.get(level) ?? enabled;
    return enabled;
  }
}

function keyAndValue(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text.trim(), ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function checkKeys(keys: readonly string[]): void {
  const unknown = new Set<string>();
  for (const key of keys) {
    const parts = key.split("/");
    if (parts.length !== 2 && parts.length !== 3) throw new RuntimeConfigError(`runtime-config invalid key ${key}`);
    const [group, version] = parts;
    const known = [...knownGroupVersions().map((each) => each.group), ...FORGOTTEN.map((each) => each.split("/")[0])];
    if (!known.includes(group ?? "")) unknown.add(`${group}/${version}`);
  }
  if (unknown.size > 0) throw new RuntimeConfigError(`unknown api groups ${[...unknown].sort().join(",")}`);
}

function isKnown(groupVersion: string): boolean {
  return knownGroupVersions().some(({ group, version }) => `${group}/${version}` === groupVersion);
}

function readBool(key: string, value: string): boolean {
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw new RuntimeConfigError(
    `invalid value of ${key}: ${value}, err: strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`,
  );
}
