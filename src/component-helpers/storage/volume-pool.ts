import type { Node, PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { type Quantity, quantityCompare } from "#apimachinery/resource/quantity.ts";
import { ownValue } from "#base/own-value.ts";
import { attributesClass, capacity, classOfClaim, classOfVolume, offersModes, requested, volumeMode } from "./volume-fields.ts";

const HOSTNAME = "kubernetes.io/hostname";
/** Where volumes are looked for without a node. */
const ANYWHERE = "";
const NONE: ReadonlyMap<string, PersistentVolume> = new Map();

/** Volumes of one size, in the order in which they came. */
interface Size {
  readonly quantity: Quantity;
  readonly volumes: Map<string, PersistentVolume>;
}

/** Volumes that differ in their size alone, as far as claims ask, from the smallest on. */
interface Group {
  readonly like: PersistentVolume;
  readonly sizes: Size[];
}

/**
 * Volumes as claims look for them: by the claim that they refer to; those that refer to none by class, and by host if they can be reached
 * from named hosts only, from the best on. What is bound is not among what is looked at. A tally of an informer's volumes.
 */
export class VolumePool {
  readonly #claimed = new Map<string, Map<string, PersistentVolume>>();
  /** By where they are looked for and their class, then by what else claims ask. */
  readonly #free = new Map<string, Map<string, Group>>();

  /** A pool of these. */
  static of(volumes: readonly PersistentVolume[]): VolumePool {
    const pool = new VolumePool();
    for (const volume of volumes) pool.add(volume);
    return pool;
  }

  add(volume: PersistentVolume): void {
    const name = volume.metadata.name ?? "";
    const { claimRef } = volume.spec ?? {};
    if (claimRef !== undefined) {
      const key = `${claimRef.namespace}/${claimRef.name}`;
      const claimed = this.#claimed.get(key) ?? new Map<string, PersistentVolume>();
      this.#claimed.set(key, claimed.set(name, volume));
      return;
    }
    for (const place of placesOf(volume)) {
      const groups = this.#free.get(place) ?? new Map<string, Group>();
      const group = groups.get(kindOf(volume)) ?? { like: volume, sizes: [] };
      this.#free.set(place, groups.set(kindOf(volume), group));
      const quantity = capacity(volume);
      const at = firstOf(group.sizes, quantity);
      const size = group.sizes[at];
      if (size !== undefined && quantityCompare(size.quantity, quantity) === 0) size.volumes.set(name, volume);
      else group.sizes.splice(at, 0, { quantity, volumes: new Map([[name, volume]]) });
    }
  }

  remove(volume: PersistentVolume): void {
    const name = volume.metadata.name ?? "";
    const { claimRef } = volume.spec ?? {};
    if (claimRef !== undefined) {
      const key = `${claimRef.namespace}/${claimRef.name}`;
      const claimed = this.#claimed.get(key);
      claimed?.delete(name);
      if (claimed?.size === 0) this.#claimed.delete(key);
      return;
    }
    for (const place of placesOf(volume)) {
      const groups = this.#free.get(place);
      const group = groups?.get(kindOf(volume));
      if (groups === undefined || group === undefined) continue;
      const at = firstOf(group.sizes, capacity(volume));
      const volumes = group.sizes[at]?.volumes;
      volumes?.delete(name);
      if (volumes?.size === 0) group.sizes.splice(at, 1);
      if (group.sizes.length === 0) groups.delete(kindOf(volume));
      if (groups.size === 0) this.#free.delete(place);
    }
  }

  /** Those that refer to a claim of that name. */
  referringTo({ metadata }: PersistentVolumeClaim): Iterable<PersistentVolume> {
    return (this.#claimed.get(`${metadata.namespace}/${metadata.name}`) ?? NONE).values();
  }

  /**
   * Those that refer to no claim and are of the claim's class, large enough, and of its modes; with a node not those for other hosts.
   * The best first: with the fewest access modes, then the smallest.
   */
  *freeFor(claim: PersistentVolumeClaim, node?: Node): Generator<PersistentVolume> {
    const wanted = requested(claim);
    const className = classOfClaim(claim);
    const groups = lookedFor(node).flatMap((place) => [...(this.#free.get(`${place}/${className}`)?.values() ?? [])]);
    const byModes = new Map<number, Sizes[]>();
    for (const { like, sizes } of groups) {
      if (volumeMode(like) !== volumeMode(claim) || attributesClass(like) !== attributesClass(claim)) continue;
      if (!offersModes(like, claim)) continue;
      const count = like.spec?.accessModes?.length ?? 0;
      byModes.set(count, [...(byModes.get(count) ?? []), { sizes, at: firstOf(sizes, wanted) }]);
    }
    for (const count of [...byModes.keys()].sort((a, b) => a - b)) yield* smallestFirst(byModes.get(count) ?? []);
  }
}

/** Sizes of a group, from one on. */
interface Sizes {
  readonly sizes: readonly Size[];
  at: number;
}

function* smallestFirst(groups: readonly Sizes[]): Generator<PersistentVolume> {
  for (;;) {
    let first: { readonly group: Sizes; readonly size: Size } | undefined;
    for (const group of groups) {
      const size = group.sizes[group.at];
      if (size === undefined) continue;
      if (first === undefined || quantityCompare(size.quantity, first.size.quantity) < 0) first = { group, size };
    }
    if (first === undefined) return;
    yield* first.size.volumes.values();
    first.group.at += 1;
  }
}

/** Where the sizes begin that are not less. */
function firstOf(sizes: readonly Size[], quantity: Quantity): number {
  let low = 0;
  let high = sizes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (quantityCompare((sizes[middle] as Size).quantity, quantity) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What claims ask beside class and size. */
function kindOf(volume: PersistentVolume): string {
  return [volumeMode(volume), attributesClass(volume), ...(volume.spec?.accessModes ?? [])].join();
}

/** Under which keys a volume is looked for: without a node, and at each host that can reach it. */
function placesOf(volume: PersistentVolume): readonly string[] {
  const className = classOfVolume(volume);
  return [ANYWHERE, ...(hostsOf(volume) ?? [undefined]).map(atHost)].map((place) => `${place}/${className}`);
}

function atHost(host: string | undefined): string {
  return host === undefined ? "@" : `@${host}`;
}

function lookedFor(node: Node | undefined): readonly string[] {
  if (node === undefined) return [ANYWHERE];
  const host = ownValue(node.metadata.labels ?? {}, HOSTNAME);
  return host === undefined ? [atHost(undefined)] : [atHost(undefined), atHost(host)];
}

/** The hosts that alone can reach it, as those of local volumes; undefined when it says nothing of them. */
function hostsOf({ spec }: PersistentVolume): readonly string[] | undefined {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hosts = new Set<string>();
  for (const { matchExpressions = [] } of terms) {
    const named = matchExpressions.find(({ key, operator }) => key === HOSTNAME && operator === "In");
    if (named === undefined) return undefined;
    for (const host of named.values ?? []) hosts.add(host);
  }
  return terms.length === 0 ? undefined : [...hosts];
}
