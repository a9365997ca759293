import type { Pod } from "#api/generated/core/v1.ts";
import { excesses, type PodChange, type Wanted } from "../history/replicas.ts";
import type { WatchedEvent } from "../history/watched.ts";
import type { RecordedSegment } from "./recorded-watcher.ts";

/** What a pod was when somebody was told of it. */
interface SeenPod {
  readonly app: string;
  readonly node: string;
  /** It neither ends nor has failed. */
  readonly lives: boolean;
  /** A controller has made it. */
  readonly controlled: boolean;
}

/** What is kept of a pod. */
export function shownPod({ metadata, spec, status }: Pod): string {
  const lives = metadata.deletionTimestamp === undefined && status?.phase !== "Failed";
  const controlled = metadata.ownerReferences?.some(({ controller }) => controller === true) ?? false;
  const seen: SeenPod = { app: metadata.labels?.app ?? "", node: spec?.nodeName ?? "", lives, controlled };
  return JSON.stringify(seen);
}

function seenPod(value: string): SeenPod {
  return JSON.parse(value) as SeenPod;
}

/** When each pod got its node, by name: the revision. Left out where nobody was told. */
export function placements(segments: readonly RecordedSegment[]): ReadonlyMap<string, number> {
  const placed = new Map<string, number>();
  for (const { start, events } of segments) {
    const waiting = new Set([...start].flatMap(([pod, { value }]) => (seenPod(value).node === "" ? [pod] : [])));
    for (const { type, key, revision, value } of events) {
      const isPlaced = seenPod(value).node !== "";
      if (isPlaced && (waiting.has(key) || type === "ADDED")) placed.set(key, revision);
      if (isPlaced) waiting.delete(key);
      else waiting.add(key);
    }
  }
  return placed;
}

/** Times at which a Deployment had more pods than it should; pods have its name as their label `app`. Those of controllers count if `counts`. */
export function tooManyPods(
  segments: readonly RecordedSegment[],
  wanted: ReadonlyMap<string, readonly Wanted[]>,
  counts: (pod: string) => boolean,
): readonly string[] {
  const isCounted = (pod: string, value: string): boolean => !seenPod(value).controlled || counts(pod);
  return segments.flatMap(({ start, events }) =>
    [...wanted].flatMap(([name, numbers]) => {
      const from = [...start].flatMap(([pod, { value }]) => (isLiving(value, name) && isCounted(pod, value) ? [pod] : []));
      return excesses(numbers, events.filter(({ key, value }) => isCounted(key, value)).flatMap(changesOf(name)), from);
    }),
  );
}

function isLiving(value: string, name: string): boolean {
  const { app, lives } = seenPod(value);
  return app === name && lives;
}

function changesOf(name: string): (event: WatchedEvent) => readonly PodChange[] {
  return ({ type, key, revision, value }) => {
    const { app, lives } = seenPod(value);
    return app === name ? [{ revision, pod: key, lives: lives && type !== "DELETED" }] : [];
  };
}
