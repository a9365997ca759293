import type { ConfigMap } from "#api/generated/core/v1.ts";
import type { WatchEvent } from "#client/client.ts";
import type { KVStore } from "#storage/kv.ts";

/** One write, as the store tells it. */
export interface Change {
  readonly revision: number;
  readonly key: string;
  /** Absent where the object is new. */
  readonly before: ConfigMap | undefined;
  /** Absent where it is gone. */
  readonly after: ConfigMap | undefined;
}

/** Which objects a list or watch asks for. */
export interface Wanted {
  /** Empty for all. */
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

const PREFIX = "/registry/configmaps/";

/** Everything that was ever written, out of the store itself. */
export class History {
  readonly changes: Change[] = [];
  /** Up to which the store has told all. */
  revision = 0;
  readonly #latest = new Map<string, ConfigMap>();

  constructor(kv: KVStore, signal: AbortSignal) {
    kv.watch(PREFIX, {
      startRevision: 1,
      signal,
      onEvents: (events, revision) => {
        for (const event of events) {
          const { key, revision: at } = event;
          const before = this.#latest.get(key);
          const after = event.type === "put" ? (JSON.parse(Buffer.from(event.kv.value).toString()) as ConfigMap) : undefined;
          if (after === undefined) this.#latest.delete(key);
          else this.#latest.set(key, { ...after, metadata: { ...after.metadata, resourceVersion: String(at) } });
          this.changes.push({ revision: at, key, before, after: this.#latest.get(key) });
        }
        this.revision = Math.max(this.revision, revision, events.at(-1)?.revision ?? 0);
      },
      onError: (error) => {
        throw error;
      },
    });
  }

  /** What a list at a revision has, by key and in order. */
  stateAt(revision: number, wanted: Wanted): string[] {
    const state = new Map<string, ConfigMap>();
    for (const { revision: at, key, after } of this.changes) {
      if (at > revision) break;
      if (after === undefined) state.delete(key);
      else state.set(key, after);
    }
    return [...state]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, object]) => (matches(object, wanted) ? [shown(object)] : []));
  }

  /** What a watch has to tell of what came after a revision, up to another. */
  eventsBetween(from: number, to: number, wanted: Wanted): string[] {
    return this.changes
      .filter(({ revision }) => revision > from && revision <= to)
      .flatMap(({ revision, before, after }) => {
        const was = before !== undefined && matches(before, wanted);
        const is = after !== undefined && matches(after, wanted);
        if (is) return [`${was ? "MODIFIED" : "ADDED"} ${shown(after)}`];
        // What leaves is shown as it was, with the revision at which it left.
        return was
          ? [`DELETED ${shown({ ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } })}`]
          : [];
      });
  }
}

function matches({ metadata }: ConfigMap, { namespace, labelSelector, fieldSelector }: Wanted): boolean {
  const { name, labels = {} } = metadata ?? {};
  if (namespace !== "" && metadata?.namespace !== namespace) return false;
  const [, field] = fieldSelector.split("=");
  if (field !== undefined && field !== name) return false;
  switch (labelSelector) {
    case "color=red":
      return labels.color === "red";
    case "color!=red":
      return labels.color !== "red";
    default:
      return true;
  }
}

/** An object as one line. */
export function shown({ metadata, data }: ConfigMap): string {
  return `${metadata?.resourceVersion} ${metadata?.namespace}/${metadata?.name} ${metadata?.labels?.color} ${data?.v}`;
}

/** An event as one line. */
export function shownEvent({ type, object }: WatchEvent<ConfigMap>): string {
  return `${type} ${shown(object)}`;
}
