import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import { CONFIG_SEEN_ANNOTATION, CONFIG_SOURCE_ANNOTATION, type PodSource } from "./static-pod.ts";

/** Told of the pods of all sources. */
export interface PodConfigHandler {
  /** A pod is there, or changed. */
  changed(pod: Pod): void;
  removed(pod: Pod): void;
}

interface Known {
  readonly pod: Pod;
  /** As the source gave it. */
  readonly given: Pod;
}

/** Puts the pods of all sources together (upstream's `config.PodConfig`): says of each where it came from and when it was first seen. */
export class PodConfig {
  readonly #clock: Clock;
  readonly #handler: PodConfigHandler;
  readonly #known: Readonly<Record<PodSource, Map<string, Known>>> = { file: new Map(), http: new Map(), api: new Map() };
  readonly #seen = new Set<PodSource>();
  readonly #expected: ReadonlySet<PodSource>;

  /** `expected`: the sources that there are. */
  constructor(expected: Iterable<PodSource>, clock: Clock, handler: PodConfigHandler) {
    this.#expected = new Set(expected);
    this.#clock = clock;
    this.#handler = handler;
  }

  /** Each source has told all its pods once: what is not among them is nowhere. */
  get isComplete(): boolean {
    return [...this.#expected].every((source) => this.#seen.has(source));
  }

  /** All pods of a source. */
  take(source: PodSource, pods: readonly Pod[]): void {
    const uids = new Set(pods.map(({ metadata }) => metadata.uid ?? ""));
    for (const [uid, { pod }] of this.#known[source]) if (!uids.has(uid)) this.remove(source, pod);
    for (const pod of pods) this.set(source, pod);
    this.#seen.add(source);
  }

  /** Everything has been told of a source that tells its pods one by one. */
  complete(source: PodSource): void {
    this.#seen.add(source);
  }

  /** A pod of a source is there, or changed. */
  set(source: PodSource, given: Pod): void {
    const uid = given.metadata.uid ?? "";
    const known = this.#known[source].get(uid);
    if (known?.given === given) return;
    const seen = known?.pod.metadata.annotations?.[CONFIG_SEEN_ANNOTATION] ?? new Date(this.#clock.now()).toISOString();
    const annotations = { ...given.metadata.annotations, [CONFIG_SOURCE_ANNOTATION]: source, [CONFIG_SEEN_ANNOTATION]: seen };
    const pod = { ...given, metadata: { ...given.metadata, annotations } };
    this.#known[source].set(uid, { pod, given });
    this.#handler.changed(pod);
  }

  remove(source: PodSource, pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.#known[source].get(uid);
    if (known === undefined) return;
    this.#known[source].delete(uid);
    this.#handler.removed(known.pod);
  }
}
