import { posix } from "node:path";
import type { Pod } from "#api/generated/core/v1.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { IdMapping } from "#cri/linux-config.ts";
import type { RuntimeHandler } from "#cri/runtime-status.ts";
import type { UserNamespace } from "../kuberuntime/security-context.ts";
import type { PodPaths } from "./pod-paths.ts";
import { uidOf } from "./volume-host.ts";

/** Ids that each pod gets, unless `userNamespaces.idsPerPod` of the configuration says otherwise. */
export const IDS_PER_POD = 65_536;
/** There are so many user ids. */
const IDS_MAX: number = 2 ** 32;
/** Pods with namespaces of their own that a node may have. */
const PODS_MAX = 1024;

/** Which of the node's ids pods may be given. */
export interface IdRange {
  readonly firstId: number;
  readonly length: number;
}

/** All but the first, which are the node's own users. */
export function defaultIdRange(idsPerPod: number = IDS_PER_POD): IdRange {
  return { firstId: idsPerPod, length: IDS_MAX - idsPerPod };
}

/** What is written down of a pod, as upstream's kubelet writes it. */
interface Recorded {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

/** Gives each pod with `hostUsers: false` ids that no other pod has, and remembers them on disk (upstream's `UsernsManager`). */
export class UserNamespaces {
  readonly #files: Pick<HostFiles, "readFile" | "writeFile" | "rename" | "mkdir" | "readdir">;
  readonly #paths: PodPaths;
  readonly #idsPerPod: number;
  readonly #range: IdRange;
  /** By a pod's uid its place in the range. */
  readonly #places = new Map<string, number>();

  constructor(
    modules: {
      readonly files: Pick<HostFiles, "readFile" | "writeFile" | "rename" | "mkdir" | "readdir">;
      readonly paths: PodPaths;
    },
    {
      idsPerPod = IDS_PER_POD,
      range = defaultIdRange(idsPerPod),
    }: { readonly idsPerPod?: number; readonly range?: IdRange } = {},
  ) {
    this.#files = modules.files;
    this.#paths = modules.paths;
    this.#idsPerPod = idsPerPod;
    this.#range = range;
  }

  /** Takes over what pods of earlier runs have, so that nobody else gets it. */
  async load(): Promise<void> {
    const uids = await this.#files.readdir(this.#paths.pods).catch(emptyIfMissing);
    for (const uid of uids) {
      const recorded = await this.#read(uid);
      if (recorded !== undefined) this.#record(uid, recorded);
    }
  }

  /** The namespace of a pod; that of the node unless it wants its own. Rejects where the runtime's handler knows of none. */
  async get(pod: Pod, handler: Pick<RuntimeHandler, "name" | "userNamespaces">): Promise<UserNamespace> {
    if (pod.spec.hostUsers !== false) return { mode: "NODE" };
    if (!handler.userNamespaces) {
      const name = handler.name === "" ? "default" : handler.name;
      throw new Error(`RuntimeClass handler "${name}" does not support user namespaces`);
    }
    const uid = uidOf(pod);
    const known = await this.#read(uid);
    const recorded = known ?? (await this.#create(uid));
    if (known !== undefined) this.#record(uid, known);
    return { mode: "POD", uids: recorded.uidMappings, gids: recorded.gidMappings };
  }

  /** The pod is gone: others may have its ids. */
  release(podUid: string): void {
    this.#places.delete(podUid);
  }

  async #create(uid: string): Promise<Recorded> {
    if (this.#places.size >= PODS_MAX) {
      const why = `limit on count of pods with user namespaces exceeded (limit is ${PODS_MAX}`;
      throw new Error(`${why}, current pods with userns: ${this.#places.size})`);
    }
    const taken = new Set(this.#places.values());
    let place = 0;
    while (taken.has(place)) place++;
    if ((place + 1) * this.#idsPerPod > this.#range.length) {
      throw new Error("could not find an empty slot to allocate a user namespace");
    }
    this.#places.set(uid, place);
    const mapping = { hostId: this.#range.firstId + place * this.#idsPerPod, containerId: 0, length: this.#idsPerPod };
    const recorded = { uidMappings: [mapping], gidMappings: [mapping] };
    try {
      const path = this.#paths.userNamespace(uid);
      await this.#files.mkdir(posix.dirname(path), { recursive: true, mode: 0o750 });
      await this.#files.writeFile(`${path}.tmp`, JSON.stringify(recorded), { mode: 0o600 });
      await this.#files.rename(`${path}.tmp`, path);
    } catch (error) {
      this.release(uid);
      throw error;
    }
    return recorded;
  }

  async #read(uid: string): Promise<Recorded | undefined> {
    const text = await this.#files.readFile(this.#paths.userNamespace(uid), "utf8").catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
      return "";
    });
    return text === "" ? undefined : (JSON.parse(text) as Recorded);
  }

  #record(uid: string, { uidMappings, gidMappings }: Recorded): void {
    const [mapping] = uidMappings;
    if (mapping === undefined || uidMappings.length !== 1 || gidMappings.length !== 1) {
      throw new Error("invalid user namespace configuration: no more than one mapping allowed.");
    }
    if (mapping.containerId !== 0) throw new Error("invalid user namespace configuration: UID 0 must be mapped");
    if (mapping.length !== this.#idsPerPod) throw new Error(`wrong user namespace length ${mapping.length}`);
    const place = (mapping.hostId - this.#range.firstId) / this.#idsPerPod;
    if (!Number.isInteger(place) || place < 0) throw new Error(`wrong user namespace offset specified ${mapping.hostId}`);
    const before = this.#places.get(uid);
    if (before === place) return;
    if (before !== undefined) throw new Error(`different user namespace range already used by pod "${uid}"`);
    if ([...this.#places.values()].includes(place)) throw new Error(`range picked for pod "${uid}" already taken`);
    this.#places.set(uid, place);
  }
}

function emptyIfMissing(error: unknown): string[] {
  if (errnoOf(error) !== "ENOENT") throw error;
  return [];
}
