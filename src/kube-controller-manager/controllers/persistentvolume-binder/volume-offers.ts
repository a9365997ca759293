import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { keyOf } from "#client/object-meta.ts";
import { classOfVolume } from "#component-helpers/storage/volume-fields.ts";
import { claimMismatch } from "#component-helpers/storage/volume-matching.ts";

/** What {@link VolumeOffers} looks things up in. */
export interface OfferModules {
  /** Claims without a volume that ask for a class. */
  seekers(className: string): readonly PersistentVolumeClaim[];
  volume(name: string): PersistentVolume | undefined;
  /** Whether the claim takes no volume before its pod has a node. */
  waits(claim: PersistentVolumeClaim): boolean;
}

/**
 * Which claim is to look again for a volume that came free: one for each volume, since one can take it, and the next when that one has
 * taken another. Were all told of each, many claims and as many volumes would be as many looks as both multiplied. A claim that is not
 * told looks again after a while in any case, as all of upstream's do.
 */
export class VolumeOffers {
  readonly #modules: OfferModules;
  readonly #claimOf = new Map<string, string>();
  readonly #volumeOf = new Map<string, string>();

  constructor(modules: OfferModules) {
    this.#modules = modules;
  }

  /** The key of the claim that is to look for a volume that is free; undefined when there is none that it is for. */
  offer(volume: PersistentVolume): string | undefined {
    const name = volume.metadata.name ?? "";
    const known = this.#claimOf.get(name);
    if (known !== undefined) return known;
    for (const claim of this.#modules.seekers(classOfVolume(volume))) {
      const key = keyOf(claim);
      if (this.#volumeOf.has(key) || !this.#isFor(volume, claim)) continue;
      this.#claimOf.set(name, key);
      this.#volumeOf.set(key, name);
      return key;
    }
    return undefined;
  }

  /** The volume is not to be had any more. */
  withdraw(name: string): void {
    const claim = this.#claimOf.get(name);
    this.#claimOf.delete(name);
    if (claim !== undefined) this.#volumeOf.delete(claim);
  }

  /** The claim seeks no longer. Gives the key of the one that is to look for what it was offered, if that is still free. */
  settle(claimKey: string): string | undefined {
    const name = this.#volumeOf.get(claimKey);
    if (name === undefined) return undefined;
    this.withdraw(name);
    const volume = this.#modules.volume(name);
    return volume !== undefined && isFree(volume) ? this.offer(volume) : undefined;
  }

  #isFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
    const { volumeName, selector } = claim.spec ?? {};
    if (volumeName || this.#modules.waits(claim) || claimMismatch(volume, claim) !== undefined) return false;
    return selector === undefined || labelSelectorFromObject(selector).matches(volume.metadata.labels);
  }
}

/** Whether a claim may take the volume. */
export function isFree({ spec, status }: PersistentVolume): boolean {
  return spec?.claimRef === undefined && status?.phase === "Available";
}
