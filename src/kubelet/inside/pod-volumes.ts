import { createHash } from "node:crypto";
import type { Container, Pod, Volume } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { Clock } from "#base/clock.ts";
import { Allowance, CONTAINER_LIMITS } from "#cri/fake/allowance.ts";
import { FileError, MemoryFiles } from "#cri/fake/memory-files.ts";
import { writeAtomically } from "./atomic-writer.ts";
import type { Addresses } from "./field-values.ts";
import { MissingReferenceError } from "./missing-reference.ts";
import type { Amounts } from "./resource-values.ts";
import type { PodToken, Sources } from "./sources.ts";
import { isFromApi, isServiceAccountVolume, type VolumeFiles, type VolumeSituation, volumeFiles } from "./volume-files.ts";

/** What {@link PodVolumes} uses of its node. */
export interface InsideModules {
  readonly sources: Sources;
  readonly clock: Clock;
  /** What the node has to give. */
  readonly allocatable: () => Amounts;
  /** What the node's containers may hold. */
  readonly allowance: Allowance;
}

/** A pod as it is now. */
export type PodNow = () => { readonly pod: Pod; readonly addresses: Addresses };

/** The oldest that files from the API may be when somebody looks, in milliseconds. */
const FRESH_MS = 1000;

interface Made {
  readonly files: MemoryFiles;
  readonly allowance: Allowance;
  digest: string;
  checkedAtMs: number;
  /** Resolves when it has been brought up to date. */
  updating: Promise<void>;
}

/** The volumes of one pod, which its containers share; each is made when a container that mounts it is first looked into. */
export class PodVolumes {
  readonly #now: PodNow;
  readonly #modules: InsideModules;
  readonly #made = new Map<string, Made>();
  readonly #tokens = new Map<string, PodToken>();
  readonly #mounted = new WeakMap<MemoryFiles, Set<string>>();

  constructor(now: PodNow, modules: InsideModules) {
    this.#now = now;
    this.#modules = modules;
  }

  /** The first volume that cannot be made because what it refers to is not there. */
  async missing(): Promise<{ readonly volume: string; readonly message: string } | undefined> {
    const { pod } = this.#now();
    for (const volume of pod.spec.volumes ?? []) {
      if (!isFromApi(volume) || isServiceAccountVolume(volume)) continue;
      try {
        await volumeFiles(volume, this.#situation());
      } catch (error) {
        if (!(error instanceof MissingReferenceError)) throw error;
        return { volume: volume.name, message: error.message };
      }
    }
    return undefined;
  }

  /**
   * Mounts what a container mounts, and brings up to date what has changed. `words` is what will run, if that is known:
   * tokens are made for those only that ask for them.
   */
  async furnish(
    container: Container,
    files: MemoryFiles,
    words: string | undefined,
    expandPath: (text: string) => string,
  ): Promise<void> {
    const mounted = this.#mounted.get(files) ?? new Set<string>();
    this.#mounted.set(files, mounted);
    const { volumes = [] } = this.#now().pod.spec;
    const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
    for (const { name, mountPath, readOnly = false, subPath = "", subPathExpr } of mounts) {
      const volume = volumes.find((one) => one.name === name);
      if (volume === undefined || (words?.includes(mountPath) === false && isServiceAccountVolume(volume))) continue;
      const made = await this.#make(volume);
      if (mounted.has(mountPath)) continue;
      mounted.add(mountPath);
      const path = subPathExpr === undefined ? subPath : expandPath(subPathExpr);
      this.#mount(files, made.files, { path: mountPath, subPath: path, readOnly: readOnly || isFromApi(volume) });
    }
  }

  /** Gives back what the volumes hold. */
  release(): void {
    for (const { allowance } of this.#made.values()) allowance.release();
    this.#made.clear();
  }

  #mount(into: MemoryFiles, volume: MemoryFiles, at: { path: string; subPath: string; readOnly: boolean }): void {
    const nowMs = this.#modules.clock.now();
    try {
      if (at.subPath !== "" && volume.find(`/${at.subPath}`) === undefined) volume.makeDirectory(`/${at.subPath}`, nowMs, true);
      into.mount(at.path, volume, { nowMs, readOnly: at.readOnly, subPath: `/${at.subPath}` });
    } catch (error) {
      // A volume that there is no room for is not seen.
      if (!(error instanceof FileError)) throw error;
    }
  }

  async #make(volume: Volume): Promise<Made> {
    const nowMs = this.#modules.clock.now();
    const elapsedMs = this.#modules.clock.elapsed();
    let made = this.#made.get(volume.name);
    if (made === undefined) {
      const { sizeLimit } = volume.emptyDir ?? {};
      const most = sizeLimit === undefined ? CONTAINER_LIMITS.bytes : quantityValue(parseQuantity(sizeLimit));
      const limits = { ...CONTAINER_LIMITS, bytes: Math.min(CONTAINER_LIMITS.bytes, most || CONTAINER_LIMITS.bytes) };
      const allowance = new Allowance(limits, this.#modules.allowance);
      made = {
        files: new MemoryFiles(nowMs, allowance),
        allowance,
        digest: "",
        checkedAtMs: Number.NEGATIVE_INFINITY,
        updating: Promise.resolve(),
      };
      made.files.change("/", { mode: 0o777 });
      this.#made.set(volume.name, made);
    }
    if (isFromApi(volume) && elapsedMs - made.checkedAtMs >= FRESH_MS) {
      made.checkedAtMs = elapsedMs;
      made.updating = this.#update(volume, made);
    }
    await made.updating;
    return made;
  }

  /** What has gone since the pod started stays as it was seen last, and so does what there is no room for. */
  async #update(volume: Volume, made: Made): Promise<void> {
    const files = await volumeFiles(volume, this.#situation()).catch(() => undefined);
    if (files === undefined || digestOf(files) === made.digest) return;
    made.digest = digestOf(files);
    try {
      writeAtomically(made.files, files, this.#modules.clock.now());
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
  }

  #situation(): VolumeSituation {
    const { sources, allocatable, clock } = this.#modules;
    const { pod, addresses } = this.#now();
    const token = async (audience: string | undefined, seconds: number): Promise<string> => {
      const key = `${audience ?? ""} ${seconds}`;
      let known = this.#tokens.get(key);
      if (known === undefined || clock.now() >= known.refreshAtMs) {
        known = await sources.token(pod, audience, seconds);
        this.#tokens.set(key, known);
      }
      return known.token;
    };
    return { pod, addresses, allocatable: allocatable(), sources, token };
  }
}

function digestOf(files: VolumeFiles): string {
  const hash = createHash("sha256");
  for (const [path, { data, mode }] of files) hash.update(`${path}\0${mode}\0${data.length}\0`).update(data);
  return hash.digest("hex");
}
