import type { Endpoints } from "#api/generated/core/v1.ts";

const SHOWN_MAX = 3;

/** The first addresses of the ready endpoints, as the printer of Endpoints shows them. */
export function formatEndpoints(endpoints: Endpoints): string {
  const subsets = endpoints.subsets ?? [];
  if (subsets.length === 0) return "<none>";
  const shown: string[] = [];
  let more = 0;
  for (const subset of subsets) {
    const addresses = subset.addresses ?? [];
    const all =
      (subset.ports ?? []).length === 0
        ? addresses.map((address) => address.ip)
        : (subset.ports ?? []).flatMap((port) => addresses.map((address) => joinHostPort(address.ip, port.port)));
    for (const one of all) {
      if (shown.length < SHOWN_MAX) shown.push(one);
      else more += 1;
    }
  }
  return more > 0 ? `${shown.join(",")} + ${more} more...` : shown.join(",");
}

function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
