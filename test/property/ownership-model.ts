/** What a custom resource of the test says of its `spec`. Nothing in it is empty. */
export interface Spec {
  readonly s?: string;
  readonly t?: number;
  /** Owned entry by entry. */
  readonly m?: Readonly<Record<string, string>>;
  /** Owned as a whole. */
  readonly am?: Readonly<Record<string, string>>;
  readonly al?: readonly string[];
  /** Owned item by item. */
  readonly set?: readonly string[];
  readonly list?: readonly { readonly k: string; readonly v?: number; readonly n?: Readonly<Record<string, string>> }[];
}

/** Every path that somebody can own, with its value. */
export type Paths = ReadonlyMap<string, string>;

/** The paths of a spec. */
export function pathsOf(spec: Spec | undefined): Map<string, string> {
  const paths = new Map<string, string>();
  const put = (path: string, value: unknown): void => void paths.set(`.spec${path}`, JSON.stringify(value));
  const { s, t, m = {}, am, al, set = [], list = [] } = spec ?? {};
  if (s !== undefined) put(".s", s);
  if (t !== undefined) put(".t", t);
  for (const [key, value] of Object.entries(m)) put(`.m.${key}`, value);
  if (am !== undefined) put(".am", Object.entries(am).sort());
  if (al !== undefined) put(".al", al);
  for (const item of set) put(`.set[=${JSON.stringify(item)}]`, item);
  for (const { k, v, n = {} } of list) {
    const at = `.list[k=${JSON.stringify(k)}]`;
    put(at, "an item");
    put(`${at}.k`, k);
    if (v !== undefined) put(`${at}.v`, v);
    for (const [key, value] of Object.entries(n)) put(`${at}.n.${key}`, value);
  }
  return paths;
}

/** Who would lose what if an apply were not forced. */
export type Conflicts = ReadonlyMap<string, readonly string[]>;

/**
 * Who owns what of an object: server-side apply as the documents tell it, with sets of paths and nothing else. Managers are
 * called `Apply NAME` and `Update NAME`.
 */
export class OwnershipModel {
  values: Paths = new Map();
  owners: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  /** Applies a configuration, or says what it conflicts with and leaves all as it was. */
  apply(manager: string, spec: Spec | undefined, force: boolean): Conflicts {
    const config = pathsOf(spec);
    const others = [...this.owners].filter(([name]) => name !== manager);
    const lost = new Map<string, string[]>();
    for (const [name, owned] of others) {
      const taken = [...owned].filter((path) => config.has(path) && config.get(path) !== this.values.get(path));
      if (taken.length > 0) lost.set(name, taken.sort());
    }
    if (lost.size > 0 && !force) return lost;
    const wantedByOthers = new Set(others.flatMap(([, owned]) => [...owned]));
    const dropped = [...(this.owners.get(manager) ?? [])].filter((path) => !config.has(path) && !wantedByOthers.has(path));
    // With an item goes what is in it, whoever put it there.
    const isDropped = (path: string): boolean =>
      dropped.some((gone) => path === gone || (gone.endsWith("]") && path.startsWith(`${gone}.`)));
    const values = new Map([...this.values].filter(([path]) => !isDropped(path)));
    for (const [path, value] of config) values.set(path, value);
    const owners = new Map<string, ReadonlySet<string>>();
    for (const [name, owned] of others) {
      const kept = [...owned].filter((path) => !lost.get(name)?.includes(path) && values.has(path));
      if (kept.length > 0) owners.set(name, new Set(kept));
    }
    if (config.size > 0) owners.set(manager, new Set(config.keys()));
    this.values = values;
    this.owners = owners;
    return new Map();
  }

  /** Somebody writes the whole object; who changes a value owns it, and who removes one takes it from all. */
  update(manager: string, spec: Spec | undefined): void {
    const values = pathsOf(spec);
    const changed = [...values].filter(([path, value]) => this.values.get(path) !== value).map(([path]) => path);
    const owners = new Map<string, ReadonlySet<string>>();
    for (const [name, owned] of this.owners) {
      const kept = [...owned].filter((path) => values.has(path) && (name === manager || !changed.includes(path)));
      if (kept.length > 0) owners.set(name, new Set(kept));
    }
    const own = new Set([...(owners.get(manager) ?? []), ...changed]);
    if (own.size > 0) owners.set(manager, own);
    this.values = values;
    this.owners = owners;
  }
}
