import type { MountPoint } from "./mount-info.ts";
import type { Mounter, MountRequest } from "./mounter.ts";

/** Mounts nothing, for tests: what was asked for can be looked at, and is listed as mounted. */
export class RecordingMounter implements Mounter {
  readonly requests: MountRequest[] = [];
  #mounted: readonly MountPoint[] = [];

  /** Where something is mounted. */
  get targets(): readonly string[] {
    return this.#mounted.map(({ path }) => path);
  }

  async mount(request: MountRequest): Promise<void> {
    this.requests.push(request);
    const { source, target: path, type, options } = request;
    const id = this.requests.length;
    this.#mounted = [...this.#mounted, { id, root: "/", path, device: `0:${id}`, type, source, options }];
  }

  mountDevice(request: MountRequest): Promise<void> {
    return this.mount(request);
  }

  async unmount(target: string): Promise<void> {
    this.#mounted = this.#mounted.filter(({ path }) => path !== target);
  }

  async list(): Promise<readonly MountPoint[]> {
    return this.#mounted;
  }
}
