import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Node } from "#api/generated/core/v1.ts";
import { nodeCondition } from "./taints.ts";

interface Heartbeat {
  /** When a sign of life was last seen, by the clock of this process: nodes' clocks may differ. */
  seenMs: number;
  status: string | undefined;
  lease: string | undefined;
}

/** When each node was last seen to live: by its status or by its Lease. */
export class Heartbeats {
  readonly #byNode = new Map<string, Heartbeat>();

  /** True when the node was not known before. */
  observeNode(node: Node, nowMs: number): boolean {
    const name = node.metadata.name ?? "";
    const status = nodeCondition(node, "Ready")?.lastHeartbeatTime;
    const known = this.#byNode.get(name);
    if (known === undefined) {
      this.#byNode.set(name, { seenMs: nowMs, status, lease: undefined });
      return true;
    }
    if (known.status !== status) {
      known.status = status;
      known.seenMs = nowMs;
    }
    return false;
  }

  observeLease(lease: Lease, nowMs: number): void {
    const known = this.#byNode.get(lease.metadata.name ?? "");
    const renewTime = lease.spec?.renewTime;
    if (known === undefined || known.lease === renewTime) return;
    known.lease = renewTime;
    known.seenMs = nowMs;
  }

  silentForMs(name: string, nowMs: number): number {
    return nowMs - (this.#byNode.get(name)?.seenMs ?? nowMs);
  }

  forget(name: string): void {
    this.#byNode.delete(name);
  }
}
