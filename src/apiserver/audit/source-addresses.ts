import { isIP } from "node:net";
import type { Exchange } from "../server/exchange.ts";

/** Addresses that a client may claim to come through; more are left out. */
const FORWARDED_MAX = 32;

/** Where a request comes from, as upstream's `utilnet.SourceIPs`: what proxies say, then the other end. All but the last can be made up. */
export function sourceAddresses({ headers, remoteAddress }: Pick<Exchange, "headers" | "remoteAddress">): string[] {
  const forwarded = text(headers["x-forwarded-for"])
    .split(",", FORWARDED_MAX)
    .map((address) => address.trim())
    .filter((address) => isIP(address) !== 0);
  const real = text(headers["x-real-ip"]).trim();
  if (forwarded.length === 0 && isIP(real) !== 0) forwarded.push(real);
  const remote = remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  return remote === "" || forwarded.at(-1) === remote ? forwarded : [...forwarded, remote];
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : (value?.join(",") ?? "");
}
