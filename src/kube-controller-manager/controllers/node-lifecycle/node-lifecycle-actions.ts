import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { NODES, PODS } from "../../framework/resources.ts";
import { nodeReference } from "./node-reference.ts";
import type { Action } from "./reconcile.ts";
import { nodeCondition } from "./taints.ts";

/** What {@link NodeLifecycleActions} works with. */
export interface NodeLifecycleActionsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  /** Names of nodes that nobody was told of yet. */
  readonly unregistered: Set<string>;
  /** Names of nodes whose pods are to be marked as not ready. */
  readonly toMark: Set<string>;
}

/** Carries out what `reconcile` decided about nodes, and tells users of it. */
export class NodeLifecycleActions {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #recorder: EventRecorder;
  readonly #unregistered: Set<string>;
  readonly #toMark: Set<string>;

  constructor(options: NodeLifecycleActionsOptions) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#recorder = options.recorder;
    this.#unregistered = options.unregistered;
    this.#toMark = options.toMark;
  }

  /** Does them in order; what fails is thrown. */
  async execute(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      const name = action.node.metadata.name ?? "";
      switch (action.type) {
        case "register": {
          this.#unregistered.delete(name);
          const message = `Node ${name} event: Registered Node ${name} in Controller`;
          this.#recorder.event(nodeReference(action.node), "Normal", "RegisteredNode", message);
          break;
        }
        case "label": {
          const patch = { metadata: { labels: action.labels } };
          await this.#client.patch(NODES, "", name, "application/strategic-merge-patch+json", patch);
          break;
        }
        case "markPodsNotReady":
          for (const pod of action.pods) await this.#markNotReady(pod);
          this.#toMark.delete(name);
          break;
        default:
          await this.#writeNode(action);
      }
    }
  }

  async #writeNode(action: Action & { type: "updateConditions" | "updateTaints" }): Promise<void> {
    const { node } = action;
    const name = node.metadata.name ?? "";
    if (action.type === "updateTaints") {
      const { taints: _, ...spec } = node.spec ?? {};
      const next = { ...node, spec: action.taints.length === 0 ? spec : { ...spec, taints: action.taints } };
      await this.#client.update(NODES, "", name, next);
      return;
    }
    const wasReady = nodeCondition(node, "Ready")?.status === "True";
    const status = { ...node.status, conditions: action.conditions };
    await this.#client.update(NODES, "", name, { ...node, status }, { subresource: "status" });
    if (!wasReady) return;
    this.#recorder.event(nodeReference(node), "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
  }

  async #markNotReady(pod: Pod): Promise<void> {
    const { namespace = "", name = "", uid } = pod.metadata;
    const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(this.#clock.now()) };
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    try {
      await this.#client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch, { subresource: "status" });
      this.#recorder.event(referenceTo("v1", "Pod", pod), "Warning", "NodeNotReady", "Node is not ready");
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
