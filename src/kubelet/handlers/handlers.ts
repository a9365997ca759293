import type { Container, ExecAction, HTTPGetAction, Pod } from "#api/generated/core/v1.ts";

/** What a probe or a hook does; one of its fields. */
export interface Action {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: { readonly port: string | number };
  readonly grpc?: { readonly port: number; readonly service?: string };
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
  /** It could not be carried out: nothing follows from it but an event. */
  readonly isUnknown?: true;
  /** It succeeded, and the message is told all the same. */
  readonly isWarning?: true;
}

/** Carries out what probes and hooks of containers do. */
export interface Handlers {
  /** Whether the action can fail: others need not be carried out. */
  canFail(action: Action): boolean;
  /** Rejects never. A hook when `timeoutSeconds` is 0, else a probe: hooks have no limit of time of their own. */
  run(action: Action, target: ActionTarget, timeoutSeconds: number): Promise<ActionResult>;
}

/** A port by its number, or by the name that the container gives it; undefined for a name that it does not give. */
export function portOf({ ports = [] }: Container, port: string | number): number | undefined {
  if (typeof port === "number" || /^\d+$/.test(port)) return Number(port);
  return ports.find(({ name }) => name === port)?.containerPort;
}
