import type { ProxyMetrics } from "../metrics.ts";
import { jsonAnswer, NOT_FOUND, type OpenPort, openPort } from "./http-ports.ts";
import type { ProxyHealth } from "./proxy-health.ts";

/** Options of {@link openHealthPort}. */
export interface HealthPortOptions {
  readonly address: string;
  readonly port: number;
  readonly health: ProxyHealth;
  /** Whether load balancers may use the node. */
  readonly isEligible: () => boolean;
  readonly metrics: ProxyMetrics;
}

/** Serves `/healthz`, by which load balancers choose nodes, and `/livez`, by which the proxy is restarted when it hangs. */
export function openHealthPort({ address, port, health, isEligible, metrics }: HealthPortOptions): Promise<OpenPort> {
  return openPort(address, port, (request) => {
    const [path] = (request.url ?? "/").split("?", 1);
    if (path !== "/healthz" && path !== "/livez") return NOT_FOUND;
    const eligible = path === "/healthz" ? isEligible() : undefined;
    const report = health.report(eligible);
    const status = report.healthy && eligible !== false ? 200 : 503;
    metrics.probed(path === "/healthz" ? "healthz" : "livez", status);
    return jsonAnswer(status, JSON.stringify(report));
  });
}
