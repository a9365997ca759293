/** One event of a watch. */
export interface WatchedEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly key: string;
  readonly revision: number;
  /** What the object holds; of a deletion what it held last. */
  readonly value: string;
}

/** An object as a list shows it. */
export interface ListedObject {
  readonly revision: number;
  readonly value: string;
}

/**
 * What one watcher was told without a gap: by one watch, or by several of which each went on where the one before had ended. A list alone
 * is one without events, whose `until` is `from`.
 */
export interface WatchedSegment {
  readonly watcher: string;
  /** What was there when it began, by key. */
  readonly start: ReadonlyMap<string, ListedObject>;
  readonly from: number;
  readonly events: readonly WatchedEvent[];
  /** Up to which everything was told: the revision of the last event or bookmark. */
  readonly until: number;
}

/** A write that was acknowledged. `value` is undefined for a deletion. */
export interface AcknowledgedWrite {
  readonly key: string;
  readonly value: string | undefined;
  /** Absent where the answer does not tell it: that of a deletion. */
  readonly revision?: number;
}

/** Failures that are told of one history; more would say no more. */
const FAILURES_MAX = 20;

/**
 * Whether every watcher was told everything once and in order, and all the same: against each other, and against the writes that were
 * acknowledged. Answers with what is wrong.
 */
export function checkWatched(segments: readonly WatchedSegment[], writes: readonly AcknowledgedWrite[]): readonly string[] {
  const failures: string[] = [];
  const told = unite(segments, failures);
  const revisions = [...told.keys()].sort((a, b) => a - b);
  checkTypes(revisions, told, segments, failures);
  const written = new Map(writes.flatMap(({ revision, ...write }) => (revision === undefined ? [] : [[revision, write]])));
  for (const segment of segments) {
    const own = new Set(segment.events.map(({ revision }) => revision));
    const where = (revision: number): boolean => revision > segment.from && revision <= segment.until;
    for (const revision of revisions) {
      if (where(revision) && !own.has(revision)) failures.push(`${segment.watcher} was not told of revision ${revision}`);
    }
    for (const [revision, { key, value }] of written) {
      if (!where(revision)) continue;
      const event = told.get(revision);
      if (!own.has(revision)) failures.push(`${segment.watcher} was not told of the write ${key}=${value} at ${revision}`);
      else if (event?.key !== key || event.value !== value) {
        failures.push(
          `${segment.watcher} was told ${event?.key}=${event?.value} at ${revision}, where ${key}=${value} was written`,
        );
      }
    }
    checkStart(segment, segments, failures);
  }
  return failures.slice(0, FAILURES_MAX);
}

/** All events by revision; each watcher's must grow, and no two may differ. */
function unite(segments: readonly WatchedSegment[], failures: string[]): ReadonlyMap<number, WatchedEvent> {
  const told = new Map<number, WatchedEvent>();
  for (const { watcher, from, events } of segments) {
    let last = from;
    for (const event of events) {
      if (event.revision <= last) failures.push(`${watcher} was told revision ${event.revision} after ${last}`);
      last = event.revision;
      const other = told.get(event.revision);
      if (other === undefined) told.set(event.revision, event);
      else if (JSON.stringify(other) !== JSON.stringify(event)) {
        failures.push(`${watcher} was told ${JSON.stringify(event)} where another was told ${JSON.stringify(other)}`);
      }
    }
  }
  return told;
}

/** What is there is not added, and what is not there neither changes nor goes. Keys are followed from the first that is told of them. */
function checkTypes(
  revisions: readonly number[],
  told: ReadonlyMap<number, WatchedEvent>,
  segments: readonly WatchedSegment[],
  failures: string[],
): void {
  const present = new Map<string, boolean>();
  // Only while somebody watches is every change known.
  let until = 0;
  for (const revision of revisions) {
    const event = told.get(revision);
    if (event === undefined) continue;
    if (!segments.some(({ from, until: end }) => from <= until && revision <= end)) present.clear();
    until = revision;
    const before = present.get(event.key);
    if (before !== undefined && before !== (event.type !== "ADDED")) {
      failures.push(`${event.key} at ${revision}: ${event.type} where it ${before ? "was there" : "was gone"}`);
    }
    present.set(event.key, event.type !== "DELETED");
  }
}

/** What a list told must be what each who watched at that time knew from its own list and what it was told until then. */
function checkStart({ watcher, start, from }: WatchedSegment, segments: readonly WatchedSegment[], failures: string[]): void {
  for (const other of segments) {
    if (other.start === start || other.from > from || other.until < from) continue;
    const known = stateAt(other, from);
    for (const key of new Set([...start.keys(), ...known.keys()])) {
      const [listed, want] = [start.get(key), known.get(key)];
      if (listed?.revision === want?.revision && listed?.value === want?.value) continue;
      failures.push(`${watcher} began at ${from} with ${key}: ${shown(listed)}, where ${other.watcher} knew ${shown(want)}`);
    }
  }
}

/** What a watcher knows to be there at a revision, by its list and what it was told until then. */
function stateAt({ start, events }: WatchedSegment, at: number): ReadonlyMap<string, ListedObject> {
  const known = new Map(start);
  for (const { type, key, revision, value } of events) {
    if (revision > at) continue;
    if (type === "DELETED") known.delete(key);
    else known.set(key, { revision, value });
  }
  return known;
}

function shown(object: ListedObject | undefined): string {
  return object === undefined ? "nothing" : `${object.value} of ${object.revision}`;
}
