import type { Upstream } from "../sockets.ts";
import { ipBytes } from "../wire/ip-bytes.ts";

/** The most servers that are asked, as CoreDNS. */
const UPSTREAMS_MAX = 15;
const DNS_PORT = 53;

/** The servers of a file such as `/etc/resolv.conf`. What is none is passed over. */
export function upstreamsOfResolvConf(text: string): readonly Upstream[] {
  return text
    .split("\n")
    .flatMap((line) => /^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? [])
    .flatMap((address) => parseUpstream(address) ?? [])
    .slice(0, UPSTREAMS_MAX);
}

/** Reads `address`, `address:port` or `[address]:port`; undefined for what is none. Names need a DNS server themselves. */
export function parseUpstream(text: string): Upstream | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+):(\d+)$/.exec(text);
  const [address, port] = bracketed === null ? [text, DNS_PORT] : [bracketed[1] ?? "", Number(bracketed[2] ?? DNS_PORT)];
  // A link's name may follow.
  if (ipBytes(address.replace(/%.*$/, "")) === undefined || port < 1 || port > 65_535) return undefined;
  return { address, port };
}
