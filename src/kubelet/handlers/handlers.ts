import type { Container, ExecAction, HTTPGetAction, Pod } from "#api/generated/core/v1.ts";

/** What a probe or a hook does; one of its fields. */
export interface Action {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: { readonly port: string | number };
  readonly grpc?: { readonly port: number };
  readonly sleep?: { readonly seconds: number };
}

/** Where an action is carried out. */
export interface ActionTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly sandboxId: string;
  /** The pod's address. */
  readonly ip: string;
}

/** How an action ended; `message` in the words of upstream's probers. */
export interface ActionResult {
  readonly succeeded: boolean;
  readonly message: string;
}

/** Carries out what probes and hooks of containers do. */
export interface Handlers {
  /** Whether the action can fail: others need not be carried out. */
  canFail(action: Action): boolean;
  /** Rejects never. No limit of time when `timeoutSeconds` is 0. */
  run(action: Action, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult>;
}
