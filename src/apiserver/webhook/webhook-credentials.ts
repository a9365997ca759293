/** Who the API server is to a webhook. PEM texts. */
export interface WebhookCredentials {
  readonly cert?: string;
  readonly key?: string;
  /** Sent with each call, such as `authorization`. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** Credentials by the names under which a kubeconfig holds them, and the one of its current context. */
export interface NamedCredentials {
  readonly byName: ReadonlyMap<string, WebhookCredentials>;
  readonly current?: string;
}

const DEFAULT_PORT = ":443";

/**
 * What is shown to a webhook at `hostPort` (`name.namespace.svc:443` for a Service): that of its name, else that of `*.` and
 * the end of its name, both without the port too where that is 443, else that of `*`, else that of the current context.
 * Undefined when there is none. As upstream's `defaultAuthenticationInfoResolver`.
 */
export function credentialsFor({ byName, current = "" }: NamedCredentials, hostPort: string): WebhookCredentials | undefined {
  const targets = hostPort.endsWith(DEFAULT_PORT) ? [hostPort, hostPort.slice(0, -DEFAULT_PORT.length)] : [hostPort];
  const found = [...targets.flatMap(namesOf), "*", current].find((name) => byName.has(name));
  return found === undefined ? undefined : byName.get(found);
}

/** `a.b.c`, `*.b.c`, `*.c`. */
function namesOf(target: string): string[] {
  const steps = target.split(".");
  return [target, ...steps.slice(1).map((_, i) => `*.${steps.slice(i + 1).join(".")}`)];
}
