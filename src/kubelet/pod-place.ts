import type { PodSandboxStatus } from "#cri/pod-sandbox.ts";
import type { Addresses } from "./inside/field-values.ts";

/** Where a pod is: its sandbox, and the addresses of both, as they were seen last. */
export class PodPlace {
  readonly #node: { readonly hostIps: readonly string[] };
  #sandbox: PodSandboxStatus | undefined;

  /** `hostIps`: the node's own as of now, of which pods in its network have no others. */
  constructor(node: { readonly hostIps: readonly string[] }) {
    this.#node = node;
  }

  /** What was seen: undefined when there is no sandbox. */
  seen(sandbox: PodSandboxStatus | undefined): void {
    this.#sandbox = sandbox;
  }

  /** "" when there is none. */
  get sandboxId(): string {
    return this.#sandbox?.id ?? "";
  }

  /** The first of the pod's addresses; "" when not even the node's are known. */
  get address(): string {
    return this.addresses.pod;
  }

  get addresses(): Addresses {
    const { ip = "", additionalIps = [] } = this.#sandbox ?? {};
    const { hostIps } = this.#node;
    const host = hostIps[0] ?? "";
    const pods = ip === "" ? hostIps : [ip, ...additionalIps];
    return { pod: ip === "" ? host : ip, host, pods, hosts: hostIps };
  }
}
