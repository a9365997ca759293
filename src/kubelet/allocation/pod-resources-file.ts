import { posix } from "node:path";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import { CheckpointError, decodeCheckpoint, encodeCheckpoint, type PodResources } from "./checkpoint.ts";

/** What a {@link PodResourcesFile} uses of the machine. */
export type PodResourcesFiles = Pick<HostFiles, "open" | "readFile" | "rename">;

/**
 * The resources of pods, in memory and in one file: what is set is there after a restart. Writes follow one another, and those
 * that wait go out together.
 */
export class PodResourcesFile {
  readonly #files: PodResourcesFiles;
  readonly #path: string;
  readonly #pods: Map<string, PodResources>;
  #written: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(files: PodResourcesFiles, path: string, pods: ReadonlyMap<string, PodResources>) {
    this.#files = files;
    this.#path = path;
    this.#pods = new Map(pods);
    this.#written = encodeCheckpoint(pods);
  }

  /** Rejects for a file that is not whole: what pods have been given is not known then, and nobody may guess it. */
  static async load(files: PodResourcesFiles, path: string): Promise<PodResourcesFile> {
    try {
      return new PodResourcesFile(files, path, decodeCheckpoint(await files.readFile(path, "utf8")));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return new PodResourcesFile(files, path, new Map());
      if (!(error instanceof CheckpointError)) throw error;
      const advice = `please drain this node and delete pod resource information checkpoint file ${JSON.stringify(path)} before restarting Kubelet`;
      throw new CheckpointError(`could not restore state from checkpoint: ${error.message}, ${advice}`);
    }
  }

  /** Undefined for a pod that is not known. */
  get(podUid: string): PodResources | undefined {
    return this.#pods.get(podUid);
  }

  /** Resolves when it is on the disk. Rejects when it could not be written; it is written with what is set next then. */
  set(podUid: string, resources: PodResources): Promise<void> {
    this.#pods.set(podUid, resources);
    const writing = this.#writing.catch(() => undefined).then(() => this.#write());
    this.#writing = writing;
    return writing;
  }

  /** A pod is gone. The file forgets it when something else is written. */
  remove(podUid: string): void {
    this.#pods.delete(podUid);
  }

  /** All others are gone. */
  keepOnly(podUids: ReadonlySet<string>): void {
    for (const uid of this.#pods.keys()) if (!podUids.has(uid)) this.#pods.delete(uid);
  }

  /** Resolves when nothing is being written any more. */
  async flush(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** What is in place is always whole, even when the machine loses its power. */
  async #write(): Promise<void> {
    const text = encodeCheckpoint(this.#pods);
    if (text === this.#written) return;
    const temporary = posix.join(posix.dirname(this.#path), `.${posix.basename(this.#path)}.tmp`);
    const file = await this.#files.open(temporary, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.rename(temporary, this.#path);
    this.#written = text;
  }
}

/** What the pods of a node have been given, and what they have (upstream's allocated and actuated resources). */
export interface PodResourcesRecord {
  readonly allocated: PodResourcesFile;
  readonly actuated: PodResourcesFile;
}

/** Reads both files of a kubelet's folder. Rejects for one that is not whole. */
export async function loadPodResources(files: PodResourcesFiles, folder: string): Promise<PodResourcesRecord> {
  return {
    allocated: await PodResourcesFile.load(files, posix.join(folder, "allocated_pods_state")),
    actuated: await PodResourcesFile.load(files, posix.join(folder, "actuated_pods_state")),
  };
}
