import { createServer, type Server } from "node:http";
import type { Clock } from "#base/clock.ts";
import { sendText } from "./answer.ts";
import { disabledRoutes } from "./disabled.ts";
import { health } from "./health.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import { serveRoute } from "./kubelet-server.ts";
import { listen } from "./listen.ts";
import { metrics } from "./metrics.ts";
import { pods } from "./pods.ts";
import type { KubeletRoute } from "./routes.ts";
import { statsSummary } from "./stats-summary.ts";

/** A port without TLS, open. */
export interface PlainServer {
  readonly port: number;
  close(): void;
}

/** What anybody may read on the read-only port: pods, health, stats and metrics (upstream's `InstallDefaultHandlers`). */
const READ_ONLY: readonly KubeletRoute[] = [
  ...health,
  ...pods.filter(({ path }) => path === "/pods"),
  statsSummary,
  ...metrics,
  ...disabledRoutes,
];

/** Health alone, for who looks after the process. */
const HEALTH: readonly KubeletRoute[] = health;

/** Upstream's `ListenAndServeKubeletReadOnlyServer`: answers everybody, and changes nothing. */
export function startReadOnlyServer(host: KubeletHost, clock: Clock, address: string, port: number): Promise<PlainServer> {
  return start(READ_ONLY, host, clock, address, port);
}

/** The health port of the machine itself. */
export function startHealthzServer(host: KubeletHost, clock: Clock, address: string, port: number): Promise<PlainServer> {
  return start(HEALTH, host, clock, address, port);
}

async function start(
  routes: readonly KubeletRoute[],
  host: KubeletHost,
  clock: Clock,
  address: string,
  port: number,
): Promise<PlainServer> {
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://node");
    const beganMs = clock.elapsed();
    // Health alone is nobody's to count, as upstream.
    const counts = routes === READ_ONLY ? host.metrics : undefined;
    const answered = counts?.request(request.method ?? "", url.pathname, "readonly");
    serveRoute(routes, { host, clock, request, response, url, upgrade: undefined })
      .catch((error: unknown) => {
        if (!response.headersSent) sendText(response, 500, error instanceof Error ? error.message : String(error));
        else response.destroy();
      })
      .finally(() => answered?.((clock.elapsed() - beganMs) / 1000));
  });
  const bound = await listen(server, address, port);
  return {
    port: bound,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
