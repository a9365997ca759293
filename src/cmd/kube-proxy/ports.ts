import type { Clock } from "#base/clock.ts";
import { HealthSlis } from "#component-base/health-slis.ts";
import type { Logger } from "#component-base/logging.ts";
import { splitHostPort } from "#kube-proxy/configuration/validate-configuration.ts";
import { type HttpAnswer, NOT_FOUND, type OpenPort, openPort } from "#kube-proxy/health/http-ports.ts";
import type { KubeProxy } from "#kube-proxy/kube-proxy.ts";
import { processMetrics } from "../process-metrics.ts";
import { cpuProfile, heapProfile } from "../profiles.ts";
import { StartupError } from "../startup-error.ts";

/** Time from one try to open a port to the next, in milliseconds. */
const RETRY_MS = 5_000;

/** Options of {@link openProxyPorts}. */
export interface ProxyPortOptions {
  readonly proxy: KubeProxy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `address:port` of health and of metrics; empty for none. */
  readonly healthz: string;
  readonly metrics: string;
  /** Reject where one cannot be had, rather than try again. */
  readonly hardFail: boolean;
  readonly profiling: boolean;
  /** What `/configz` shows. */
  readonly configuration: () => Readonly<Record<string, unknown>>;
}

/** Opens the ports by which the proxy is looked after. Returns what closes them. Rejects with a {@link StartupError}. */
export async function openProxyPorts(options: ProxyPortOptions): Promise<() => Promise<void>> {
  const { proxy, healthz, metrics } = options;
  const slis = new HealthSlis();
  const closers = [
    await keepOpen(options, healthz, (address, port) => proxy.openHealthPort(address, port)),
    await keepOpen(options, metrics, (address, port) =>
      openPort(address, port, (request) => answerTo(options, slis, request.url ?? "/")),
    ),
  ];
  return async () => {
    await Promise.all(closers.map((close) => close()));
  };
}

async function keepOpen(
  { clock, logger, hardFail }: ProxyPortOptions,
  where: string,
  open: (address: string, port: number) => Promise<OpenPort>,
): Promise<() => Promise<void>> {
  const parts = splitHostPort(where);
  if (parts === undefined) return async () => {};
  const stopped = new AbortController();
  let opened: OpenPort | undefined;
  const attempt = async (): Promise<Error | undefined> => {
    try {
      opened = await open(parts.host, parts.port);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };
  const first = await attempt();
  if (first !== undefined && hardFail) throw new StartupError(`failed to start on ${where}: ${first.message}`);
  const trying = (async () => {
    for (let failure = first; failure !== undefined && !stopped.signal.aborted; failure = await attempt()) {
      logger.error({ address: where, err: failure }, "port cannot be opened; it is tried again");
      await clock.sleep(RETRY_MS, stopped.signal).catch(() => {});
    }
  })();
  return async () => {
    stopped.abort();
    await trying;
    await opened?.close();
  };
}

async function answerTo(
  { proxy, profiling, configuration }: ProxyPortOptions,
  slis: HealthSlis,
  url: string,
): Promise<HttpAnswer> {
  const [path = "/", query = ""] = url.split("?", 2);
  switch (path) {
    case "/healthz":
    case "/livez":
      // That it answers is all that is asked.
      slis.observe("ping", path.slice(1), true);
      return answer("text/plain; charset=utf-8", "ok");
    case "/proxyMode":
      return answer("text/plain; charset=utf-8", proxy.mode);
    case "/metrics":
      return answer("text/plain; version=0.0.4; charset=utf-8", processMetrics() + (await proxy.metrics.text()));
    case "/metrics/slis":
      return answer("text/plain; version=0.0.4; charset=utf-8", slis.text());
    case "/configz":
      return answer("application/json", JSON.stringify(configuration()));
    case "/debug/pprof/":
      return profiling ? answer("text/plain; charset=utf-8", "profile?seconds=30\nheap\n") : NOT_FOUND;
    case "/debug/pprof/profile":
      if (!profiling) return NOT_FOUND;
      return answer("application/json", await cpuProfile(new URLSearchParams(query).get("seconds")));
    case "/debug/pprof/heap":
      return profiling ? answer("application/json", await heapProfile()) : NOT_FOUND;
    default:
      return NOT_FOUND;
  }
}

function answer(type: string, body: string): HttpAnswer {
  return { status: 200, headers: { "content-type": type, "x-content-type-options": "nosniff" }, body };
}
