import type { ClusterDns } from "#cluster-dns/cluster-dns.ts";
import { FlagError } from "#component-base/flags.ts";
import { splitHostPort } from "#kube-proxy/configuration/validate-configuration.ts";
import { type HttpAnswer, NOT_FOUND, type OpenPort, openPort } from "#kube-proxy/health/http-ports.ts";
import { processMetrics } from "../process-metrics.ts";

/** `address:port` of each; empty for none. Two may be the same. */
export interface DnsPortAddresses {
  readonly health: string;
  readonly ready: string;
  readonly metrics: string;
}

/** Opens the ports by which the DNS server is looked after. Returns what closes them. Throws a {@link FlagError} for what is no address. */
export async function openDnsPorts(
  dns: Pick<ClusterDns, "isReady" | "metrics">,
  addresses: DnsPortAddresses,
): Promise<() => Promise<void>> {
  const answers: Readonly<Record<string, () => HttpAnswer | Promise<HttpAnswer>>> = {
    health: () => answer(200, "OK"),
    ready: () => (dns.isReady ? answer(200, "OK") : answer(503, "kubernetes")),
    metrics: async () => answer(200, processMetrics() + (await dns.metrics.text()), "text/plain; version=0.0.4; charset=utf-8"),
  };
  const opened: OpenPort[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((port) => port.close()));
  };
  const all = Object.entries(addresses);
  try {
    for (const address of new Set(Object.values(addresses))) {
      if (address === "") continue;
      const asked = all.filter(([, one]) => one === address);
      const parts = splitHostPort(address);
      if (parts === undefined || Number.isNaN(parts.port)) {
        throw new FlagError(`flag --${asked[0]?.[0]}-bind-address takes IP:PORT, not "${address}"`);
      }
      const paths = new Map(asked.map(([path]) => [`/${path}`, answers[path]]));
      const port = await openPort(parts.host === "" ? "0.0.0.0" : parts.host, parts.port, (request) => {
        return paths.get((request.url ?? "/").replace(/\?.*$/s, ""))?.() ?? NOT_FOUND;
      });
      opened.push(port);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return close;
}

function answer(status: number, body: string, type = "text/plain; charset=utf-8"): HttpAnswer {
  return { status, headers: { "content-type": type, "x-content-type-options": "nosniff" }, body };
}
