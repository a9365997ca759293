import type { PodInfo } from "../framework/pod-info.ts";

const NONE: ReadonlyMap<string, PodInfo> = new Map();

/** Which pods wait for room that is being made for them, and on which nodes. */
export class Nominator {
  readonly #nodeOf = new Map<string, string>();
  readonly #podsOn = new Map<string, Map<string, PodInfo>>();

  /** Remembers the nomination; an empty name forgets it. */
  set(info: PodInfo, nodeName: string): void {
    this.delete(info.uid);
    if (nodeName === "") return;
    this.#nodeOf.set(info.uid, nodeName);
    const pods = this.#podsOn.get(nodeName) ?? new Map<string, PodInfo>();
    this.#podsOn.set(nodeName, pods.set(info.uid, info));
  }

  delete(uid: string): void {
    const nodeName = this.#nodeOf.get(uid);
    if (nodeName === undefined) return;
    this.#nodeOf.delete(uid);
    const pods = this.#podsOn.get(nodeName);
    pods?.delete(uid);
    if (pods?.size === 0) this.#podsOn.delete(nodeName);
  }

  nodeOf(uid: string): string | undefined {
    return this.#nodeOf.get(uid);
  }

  podsOn(nodeName: string): ReadonlyMap<string, PodInfo> {
    // Asked of hundreds of nodes in each cycle: not even their names are looked at where nobody waits.
    return this.#podsOn.size === 0 ? NONE : (this.#podsOn.get(nodeName) ?? NONE);
  }
}
