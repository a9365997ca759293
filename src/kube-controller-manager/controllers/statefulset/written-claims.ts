import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import type { SharedInformer } from "#client/informer.ts";
import { objectKey } from "#client/object-meta.ts";

/** Claims as the mirror shows them, and as they were written where it does not show that yet. */
export class WrittenClaims {
  readonly #informer: SharedInformer<PersistentVolumeClaim>;
  readonly #ahead = new Map<string, PersistentVolumeClaim>();

  constructor(informer: SharedInformer<PersistentVolumeClaim>) {
    this.#informer = informer;
  }

  get(namespace: string, name: string): PersistentVolumeClaim | undefined {
    const written = this.#ahead.get(objectKey(namespace, name));
    if (written !== undefined) {
      if (revisionOf(written) > this.#informer.revision) return written;
      this.#ahead.delete(objectKey(namespace, name));
    }
    return this.#informer.lister.get(namespace, name);
  }

  /** A write answered with this claim. */
  wrote(claim: PersistentVolumeClaim): void {
    for (const [key, written] of this.#ahead) if (revisionOf(written) <= this.#informer.revision) this.#ahead.delete(key);
    this.#ahead.set(objectKey(claim.metadata.namespace ?? "", claim.metadata.name ?? ""), claim);
  }
}

function revisionOf({ metadata }: PersistentVolumeClaim): number {
  return Number(metadata.resourceVersion ?? 0);
}
