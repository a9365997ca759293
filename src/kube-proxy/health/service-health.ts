import type { EventRecorder } from "#client/event-recorder.ts";
import type { Logger } from "#component-base/logging.ts";
import { type HttpAnswer, jsonAnswer, type OpenPort, openPort } from "./http-ports.ts";

/** A Service whose load balancer asks each node whether it has endpoints. */
export interface CheckedService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Endpoints of this node that are ready. */
  readonly localEndpoints: number;
}

/** Options of {@link ServiceHealth}. */
export interface ServiceHealthOptions {
  readonly nodeName: string;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly isProxyHealthy: () => boolean;
}

interface OpenCheck {
  service: CheckedService;
  readonly ports: readonly OpenPort[];
  readonly addresses: string;
}

/** Answers at the health check node ports of Services of type LoadBalancer with policy Local. Ports that cannot be had are tried again with the next update. */
export class ServiceHealth {
  readonly #options: ServiceHealthOptions;
  readonly #open = new Map<string, OpenCheck>();

  constructor(options: ServiceHealthOptions) {
    this.#options = options;
  }

  /** Takes all Services there are, by `namespace/name`, and where ports are open: undefined for everywhere. */
  async sync(services: ReadonlyMap<string, CheckedService>, addresses: readonly string[] | undefined): Promise<void> {
    const listed = (addresses ?? ["::"]).join(",");
    for (const [key, check] of this.#open) {
      const wanted = services.get(key);
      if (wanted?.port === check.service.port && check.addresses === listed) {
        check.service = wanted;
        continue;
      }
      this.#open.delete(key);
      await Promise.all(check.ports.map((port) => port.close()));
    }
    for (const [key, service] of services) {
      if (!this.#open.has(key)) await this.#start(key, service, listed);
    }
  }

  /** Closes all ports. */
  async close(): Promise<void> {
    await this.sync(new Map(), undefined);
  }

  async #start(key: string, service: CheckedService, addresses: string): Promise<void> {
    const answer = (): HttpAnswer => this.#answer(key);
    const ports: OpenPort[] = [];
    try {
      for (const address of addresses.split(",").filter((text) => text !== ""))
        ports.push(await open(address, service.port, answer));
      this.#open.set(key, { service, ports, addresses });
    } catch (error) {
      await Promise.all(ports.map((port) => port.close()));
      const { nodeName, logger, recorder } = this.#options;
      const { namespace, name, port } = service;
      logger.error({ service: key, port, err: error }, "health check port cannot be opened");
      const message = `node ${nodeName} failed to start healthcheck "${key}" on port ${port}: ${(error as Error).message}`;
      const target = { apiVersion: "v1", kind: "Service", namespace, name, uid: key };
      recorder.event(target, "Warning", "FailedToStartServiceHealthcheck", message, { action: "Listen" });
    }
  }

  #answer(key: string): HttpAnswer {
    const { namespace = "", name = "", localEndpoints = 0 } = this.#open.get(key)?.service ?? {};
    const isHealthy = this.#options.isProxyHealthy();
    return jsonAnswer(localEndpoints > 0 && isHealthy ? 200 : 503, checkBody({ namespace, name }, localEndpoints, isHealthy), {
      "x-load-balancing-endpoint-weight": `${localEndpoints}`,
    });
  }
}

/** The body of a health check, letter for letter as upstream writes it. */
export function checkBody(
  { namespace, name }: Pick<CheckedService, "namespace" | "name">,
  localEndpoints: number,
  isProxyHealthy: boolean,
): string {
  return [
    "{",
    '\t"service": {',
    `\t\t"namespace": ${JSON.stringify(namespace)},`,
    `\t\t"name": ${JSON.stringify(name)}`,
    "\t},",
    `\t"localEndpoints": ${localEndpoints},`,
    `\t"serviceProxyHealthy": ${isProxyHealthy}`,
    "}",
  ].join("\n");
}

/** Where the machine has no IPv6, everywhere is 0.0.0.0. */
async function open(address: string, port: number, answer: () => HttpAnswer): Promise<OpenPort> {
  try {
    return await openPort(address, port, answer);
  } catch (error) {
    if (address !== "::" || (error as NodeJS.ErrnoException).code !== "EAFNOSUPPORT") throw error;
    return openPort("0.0.0.0", port, answer);
  }
}
