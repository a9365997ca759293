import type { ObjectMeta } from "#api/generated/meta/v1.ts";
import type { Clock } from "#base/clock.ts";
import { Pace } from "#base/pace.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { metaOf } from "#client/object-meta.ts";
import { runReflector } from "#client/reflector.ts";
import type { Discovered, DiscoveredResource } from "../../framework/discovery.ts";

/** Told of every object of every resource. */
export interface MonitorSink {
  upsert(resource: DiscoveredResource, metadata: ObjectMeta): void;
  remove(uid: string): void;
}

/** Options of {@link Monitors}. */
export interface MonitorOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly sink: MonitorSink;
  readonly signal: AbortSignal;
}

interface Monitor {
  readonly stop: AbortController;
  readonly synced: Promise<void>;
}

/** Events own nothing and are owned by nobody, but there are many. */
const IGNORED: ReadonlySet<string> = new Set(["/events", "events.k8s.io/events"]);

/** Groups whose objects are other groups' too, which shows them already. */
const OTHER_SIGHTS: ReadonlySet<string> = new Set(["extensions"]);

/** How many objects of a list are told of before others have their turn. */
const OBJECTS_PER_TURN = 512;

/** Watches every resource that can be deleted; holds nothing of the objects but their uids. */
export class Monitors {
  readonly #options: MonitorOptions;
  readonly #byResource = new Map<string, Monitor>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /** Starts and stops monitors, so that they are those of the resources that are served now. */
  sync({ resources, failures }: Discovered): void {
    const wanted = new Map<string, DiscoveredResource>();
    for (const resource of resources) {
      const { id, verbs, preferred } = resource;
      const watched = ["delete", "list", "watch"].every((verb) => verbs.includes(verb));
      const ignored = IGNORED.has(`${id.group}/${id.resource}`) || OTHER_SIGHTS.has(id.group);
      if (preferred && watched && !ignored) {
        wanted.set(`${id.group}/${id.version}/${id.resource}`, resource);
      }
    }
    for (const [key, resource] of wanted) if (!this.#byResource.has(key)) this.#byResource.set(key, this.#start(resource));
    for (const [key, monitor] of this.#byResource) {
      const unknown = failures.has(key.slice(0, key.lastIndexOf("/")));
      if (wanted.has(key) || unknown) continue;
      monitor.stop.abort(new Error("the resource is served no longer"));
      this.#byResource.delete(key);
    }
  }

  /** Resolves when every resource has been listed once. */
  async waitForSync(): Promise<void> {
    await Promise.all([...this.#byResource.values()].map(({ synced }) => synced));
  }

  /** Resolves when no monitor runs any more: some time after the signal was aborted. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(resource: DiscoveredResource): Monitor {
    const { client, clock, random, sink, signal } = this.#options;
    const stop = new AbortController();
    const known = new Set<string>();
    const upsert = (object: object): void => {
      const metadata = metaOf(object);
      known.add(metadata.uid ?? "");
      sink.upsert(resource, metadata);
    };
    let resolveSynced: () => void = () => {};
    const synced = new Promise<void>((resolve) => {
      resolveSynced = resolve;
    });
    const running = runReflector<object>({
      client,
      clock,
      random,
      id: resource.id,
      signal: AbortSignal.any([signal, stop.signal]),
      sink: {
        async replace(items) {
          const now = new Set(items.map((item) => metaOf(item).uid ?? ""));
          for (const uid of known) {
            if (now.has(uid)) continue;
            known.delete(uid);
            sink.remove(uid);
          }
          const pace = new Pace(OBJECTS_PER_TURN);
          for (const item of items) {
            const pause = pace.before(1);
            if (pause !== undefined) await pause;
            upsert(item);
          }
          resolveSynced();
        },
        upsert,
        remove(object) {
          const { uid = "" } = metaOf(object);
          known.delete(uid);
          sink.remove(uid);
        },
      },
    });
    this.#running.add(running);
    // A reflector never rejects.
    void running.then(() => this.#running.delete(running));
    return { stop, synced };
  }
}
