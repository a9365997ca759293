import type { Pod } from "#api/generated/core/v1.ts";
import { isTracked } from "./job-pods.ts";

/** Pods whose finalizer was taken away, by their Job's uid, until the mirror shows it: they must not be counted twice. */
export class CountedPods {
  readonly #byJob = new Map<string, Set<string>>();

  /** Uids of those that the mirror still shows as tracked; forgets the others. */
  stillCounted(jobUid: string, owned: readonly Pod[]): ReadonlySet<string> {
    const before = this.#byJob.get(jobUid);
    const now = new Set<string>();
    for (const pod of before === undefined ? [] : owned) {
      const uid = pod.metadata.uid ?? "";
      if (before?.has(uid) && isTracked(pod)) now.add(uid);
    }
    if (now.size > 0) this.#byJob.set(jobUid, now);
    else this.#byJob.delete(jobUid);
    return now;
  }

  /** These were counted. */
  add(jobUid: string, podUids: ReadonlySet<string>): void {
    if (podUids.size > 0) this.#byJob.set(jobUid, new Set([...(this.#byJob.get(jobUid) ?? []), ...podUids]));
  }

  /** The Job is gone. */
  forget(jobUid: string): void {
    this.#byJob.delete(jobUid);
  }
}
