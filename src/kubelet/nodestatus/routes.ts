/** The route is in use. */
const UP = 1;
const LOOPBACK = "lo";

/** The interface that the default route leaves by, of `/proc/net/route` or `/proc/net/ipv6_route`; the cheapest one. */
export function defaultInterface(table: string, family: 4 | 6): string | undefined {
  const routes = table.split("\n").flatMap((line) => (family === 4 ? routeOf4(line) : routeOf6(line)));
  return routes.sort((a, b) => a.metric - b.metric)[0]?.name;
}

interface DefaultRoute {
  readonly name: string;
  readonly metric: number;
}

/** Interface, destination, gateway, flags, reference count, use, metric, mask, ...; numbers in hexadecimal but the metric. */
function routeOf4(line: string): readonly DefaultRoute[] {
  const [name = "", destination, , flags = "0", , , metric = "0", mask] = line.trim().split(/\s+/);
  const isDefault = destination === "00000000" && mask === "00000000" && (Number.parseInt(flags, 16) & UP) !== 0;
  return isDefault ? [{ name, metric: Number(metric) }] : [];
}

/** Destination, its length, source, its length, next hop, metric, reference count, use, flags, interface. */
function routeOf6(line: string): readonly DefaultRoute[] {
  const fields = line.trim().split(/\s+/);
  const [destination = "", length, , , , metric = "0", , , flags = "0", name = ""] = fields;
  const isDefault = /^0{32}$/.test(destination) && length === "00" && (Number.parseInt(flags, 16) & UP) !== 0;
  return isDefault && name !== LOOPBACK ? [{ name, metric: Number.parseInt(metric, 16) }] : [];
}
