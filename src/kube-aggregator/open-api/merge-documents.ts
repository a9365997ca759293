/** A piece of an OpenAPI document. */
export type Json = Record<string, unknown>;

type Named = Readonly<Record<string, unknown>>;

/** What refers to a shared part, and where these parts are. */
const SHARED = [
  ["definitions", "#/definitions/"],
  ["parameters", "#/parameters/"],
] as const;
const GROUP_VERSION_KIND = "x-kubernetes-group-version-kind";

/**
 * The part of an OpenAPI v2 document that tells paths below `prefix`, with the definitions that it needs. Definitions that
 * nothing referred to before stay, too (kube-openapi's `FilterSpecByPaths`).
 */
export function filterByPath(document: Json, prefix: string): Json {
  const definitions = named(document.definitions);
  const before = closure(definitions, referenced(document));
  const kept = Object.entries(named(document.paths)).filter(([path]) => path.startsWith(prefix));
  const filtered: Json = { ...document, paths: Object.fromEntries(kept) };
  const after = closure(definitions, referenced(filtered));
  const needed = Object.entries(definitions).filter(([name]) => after.has(name) || !before.has(name));
  return { ...filtered, definitions: Object.fromEntries(needed) };
}

/**
 * Adds the paths of another server's document, and what they need, to `target`, which is changed. Of a path that both have, the
 * first stays. Definitions and parameters of one name that differ get another name, as `NAME_v2` (kube-openapi's
 * `MergeSpecsIgnorePathConflictRenamingDefinitionsAndParameters`). Unlike upstream's, our own texts on shared types are no
 * difference: every definition of another server would be one.
 */
export function mergeDocument(target: Json, source: Json): void {
  const paths = named(target.paths);
  const added = Object.entries(named(source.paths)).filter(([path]) => !Object.hasOwn(paths, path));
  if (added.length === 0) return;
  let part: Json = { ...source, paths: Object.fromEntries(added) };
  for (const [place, prefix] of SHARED) {
    const renames = renamesOf(named(target[place]), named(part[place]));
    if (renames.size > 0) part = renamed(part, place, prefix, renames);
    target[place] = sorted({ ...withKinds(named(target[place]), named(part[place])) });
  }
  target.paths = sorted({ ...paths, ...named(part.paths) });
}

/** New names for what is there already and is something else. */
function renamesOf(known: Named, added: Named): Map<string, string> {
  const renames = new Map<string, string>();
  const taken = new Set(Object.keys(known));
  for (const [name, value] of Object.entries(added)) {
    if (!Object.hasOwn(known, name) || same(known[name], value)) continue;
    let found: string | undefined;
    for (let i = 2; found === undefined; i++) {
      const candidate = `${name}_v${i}`;
      const free = !taken.has(candidate) && !Object.hasOwn(added, candidate);
      if (free || (Object.hasOwn(known, candidate) && same(known[candidate], value))) found = candidate;
    }
    renames.set(name, found);
    taken.add(found);
  }
  return renames;
}

/** The document with new names in one place, and in every reference to it. */
function renamed(document: Json, place: string, prefix: string, renames: ReadonlyMap<string, string>): Json {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      if (key !== "$ref" || typeof item !== "string" || !item.startsWith(prefix)) return [key, walk(item)];
      const name = item.slice(prefix.length);
      return [key, `${prefix}${renames.get(name) ?? name}`];
    });
    return Object.fromEntries(entries);
  };
  const whole = walk(document) as Json;
  const parts = Object.entries(named(whole[place])).map(([name, value]) => [renames.get(name) ?? name, value]);
  return { ...whole, [place]: Object.fromEntries(parts) };
}

/** Both sets; a type that both know is told to belong to the kinds of both. */
function withKinds(known: Named, added: Named): Named {
  const merged: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(added)) {
    const before = merged[name];
    if (before === undefined) {
      merged[name] = value;
      continue;
    }
    const [own, others] = [kindsOf(before), kindsOf(value)];
    const keys = new Set(own.map(kindKey));
    const more = others.filter((kind) => !keys.has(kindKey(kind)));
    if (more.length === 0) continue;
    const kinds = [...own, ...more].sort((a, b) => (kindKey(a) < kindKey(b) ? -1 : 1));
    merged[name] = { ...(before as Json), [GROUP_VERSION_KIND]: kinds };
  }
  return merged;
}

function kindsOf(definition: unknown): readonly Json[] {
  const kinds = named(definition)[GROUP_VERSION_KIND];
  return Array.isArray(kinds) ? (kinds as Json[]) : [];
}

function kindKey({ group, version, kind }: Json): string {
  return `${group}/${version}.${kind}`;
}

/** Equal but for texts, kinds and the order of fields. */
function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (key === GROUP_VERSION_KIND || (key === "description" && typeof item === "string")) return undefined;
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return sorted(item as Json);
  });
}

/** Names of the definitions that paths and parameters refer to. */
function referenced({ paths, parameters, responses }: Json): Set<string> {
  const found = new Set<string>();
  for (const part of [paths, parameters, responses]) collect(part, found);
  return found;
}

/** The same with what these refer to in turn. */
function closure(definitions: Named, names: ReadonlySet<string>): Set<string> {
  const needed = new Set(names);
  for (const name of needed) collect(definitions[name], needed);
  return needed;
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  const reference = (value as Json).$ref;
  const [, prefix] = SHARED[0];
  if (typeof reference === "string" && reference.startsWith(prefix)) found.add(reference.slice(prefix.length));
  for (const item of Object.values(value)) collect(item, found);
}

function named(value: unknown): Named {
  return typeof value === "object" && value !== null ? (value as Named) : {};
}

function sorted(value: Named): Json {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
