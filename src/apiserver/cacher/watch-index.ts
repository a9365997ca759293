import type { CacheEntry } from "./cache-entry.ts";
import type { CacheEvent } from "./event-history.ts";
import { type Attribute, type ObjectFilter, type WatchConsumer, WatchGroup } from "./watch-group.ts";

/** Groups that stand at one kind of thing, by {@link placeOf}. */
type Groups = Map<string, Set<WatchGroup>>;

/**
 * All watches of a resource, found by what a change is about. A group stands at the most particular thing that all of its
 * objects have in common: their name, a field, a label, or else their namespace. So a change costs what those cost whom it may
 * concern, however many others watch one object each, the Pods of one node or the endpoints of one Service.
 */
export class WatchIndex {
  readonly #groups = new Map<string, WatchGroup>();
  /** Those that nothing but a namespace tells apart. */
  readonly #byNamespace: Groups = new Map();
  readonly #byName: Groups = new Map();
  readonly #byAttribute = new Map<string, { readonly attribute: Attribute; readonly groups: Groups }>();
  readonly #byLabel = new Map<string, Groups>();

  /** No watches at all. */
  get empty(): boolean {
    return this.#groups.size === 0;
  }

  /** How many watches there are. */
  get watchCount(): number {
    let count = 0;
    for (const group of this.#groups.values()) count += group.consumers.size;
    return count;
  }

  /** Whether some watch asks what an object was before it changed. */
  get looksBack(): boolean {
    for (const { filter } of this.#groups.values()) if (filter.matches !== undefined) return true;
    return false;
  }

  /** Delivers every later change to the consumer until the returned function is called. */
  add(filter: ObjectFilter, consumer: WatchConsumer): () => void {
    let group = this.#groups.get(filter.id);
    if (group === undefined) {
      group = new WatchGroup(filter);
      this.#groups.set(filter.id, group);
      this.#put(group);
    }
    const joined = group;
    joined.consumers.add(consumer);
    return () => {
      if (!joined.consumers.delete(consumer) || joined.consumers.size > 0) return;
      // After `clear` another group may have the filter.
      if (this.#groups.get(filter.id) !== joined) return;
      this.#groups.delete(filter.id);
      this.#take(joined);
    };
  }

  /** Tells each watch of those events that its filter lets through, in their order. */
  deliver(events: readonly CacheEvent[], revision: number): void {
    if (this.#groups.size === 0) return;
    const concerned = new Map<WatchGroup, CacheEvent[]>();
    for (const event of events) {
      const { entry, previous } = event;
      this.#look(entry, event, concerned);
      if (previous !== undefined && this.#mayHaveMoved) this.#lookAtMarks(previous, event, concerned);
    }
    for (const [group, theirs] of concerned) group.deliver(theirs, revision);
  }

  /** Forgets all watches, and says whose they were. */
  clear(): readonly WatchConsumer[] {
    const consumers = [...this.#groups.values()].flatMap((group) => [...group.consumers]);
    for (const map of [this.#groups, this.#byNamespace, this.#byName, this.#byAttribute, this.#byLabel]) map.clear();
    return consumers;
  }

  /** Names and namespaces stay what they are; fields and labels change. */
  get #mayHaveMoved(): boolean {
    return this.#byAttribute.size > 0 || this.#byLabel.size > 0;
  }

  #look(entry: CacheEntry, event: CacheEvent, concerned: Map<WatchGroup, CacheEvent[]>): void {
    find(this.#byNamespace, entry.namespace, "", event, concerned);
    if (this.#byName.size > 0) find(this.#byName, entry.namespace, entry.name, event, concerned);
    if (this.#mayHaveMoved) this.#lookAtMarks(entry, event, concerned);
  }

  #lookAtMarks(entry: CacheEntry, event: CacheEvent, concerned: Map<WatchGroup, CacheEvent[]>): void {
    const { namespace } = entry;
    for (const { attribute, groups } of this.#byAttribute.values())
      find(groups, namespace, attribute.of(entry), event, concerned);
    if (this.#byLabel.size === 0) return;
    const { labels } = entry.object.metadata;
    for (const label in labels) {
      const groups = this.#byLabel.get(label);
      if (groups !== undefined) find(groups, namespace, labels[label] ?? "", event, concerned);
    }
  }

  #put(group: WatchGroup): void {
    for (const [groups, place] of this.#placesOf(group.filter)) ownOf(groups, place, () => new Set()).add(group);
  }

  #take(group: WatchGroup): void {
    for (const [groups, place] of this.#placesOf(group.filter)) {
      const peers = groups.get(place);
      peers?.delete(group);
      if (peers?.size === 0) groups.delete(place);
    }
    const { mark } = group.filter;
    if (mark === undefined) return;
    if ("label" in mark) {
      if (this.#byLabel.get(mark.label)?.size === 0) this.#byLabel.delete(mark.label);
    } else if (this.#byAttribute.get(mark.attribute.id)?.groups.size === 0) this.#byAttribute.delete(mark.attribute.id);
  }

  /** Where a group stands: one place, or one for each value of its label. */
  #placesOf({ namespace, name, mark }: ObjectFilter): readonly (readonly [Groups, string])[] {
    if (name !== "") return [[this.#byName, placeOf(namespace, name)]];
    if (mark === undefined) return [[this.#byNamespace, placeOf(namespace, "")]];
    if ("label" in mark) {
      const groups = ownOf(this.#byLabel, mark.label, () => new Map());
      return mark.values.map((value) => [groups, placeOf(namespace, value)]);
    }
    const { attribute, value } = mark;
    const { groups } = ownOf(this.#byAttribute, attribute.id, () => ({ attribute, groups: new Map() }));
    return [[groups, placeOf(namespace, value)]];
  }
}

/** A value within a namespace, or within all of them. Names of namespaces have no slash. */
function placeOf(namespace: string, value: string): string {
  return `${namespace}/${value}`;
}

function ownOf<Kept>(map: Map<string, Kept>, key: string, make: () => Kept): Kept {
  let kept = map.get(key);
  if (kept === undefined) {
    kept = make();
    map.set(key, kept);
  }
  return kept;
}

/** Notes whom the event may concern of those who look at one namespace, or at all. */
function find(
  groups: Groups,
  namespace: string,
  value: string,
  event: CacheEvent,
  concerned: Map<WatchGroup, CacheEvent[]>,
): void {
  collect(groups.get(placeOf("", value)), event, concerned);
  if (namespace !== "") collect(groups.get(placeOf(namespace, value)), event, concerned);
}

/** Notes that the event may concern the groups. One that is found at what the object is and at what it was is told once. */
function collect(groups: Set<WatchGroup> | undefined, event: CacheEvent, concerned: Map<WatchGroup, CacheEvent[]>): void {
  if (groups === undefined) return;
  for (const group of groups) {
    const known = concerned.get(group);
    if (known === undefined) concerned.set(group, [event]);
    else if (known.at(-1) !== event) known.push(event);
  }
}
