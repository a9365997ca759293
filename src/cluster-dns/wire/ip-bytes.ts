import { parseIp } from "#apimachinery/validation/ip.ts";

/** The bytes of an address, 4 or 16; undefined for what is none. */
export function ipBytes(text: string): Buffer | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  return Buffer.from(ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, "0"), "hex");
}

/** One text for all ways to write an address, for keys; undefined for what is none. */
export function ipKey(text: string): string | undefined {
  return ipBytes(text)?.toString("hex");
}

/** The key of the address that a name of `in-addr.arpa` or `ip6.arpa` stands for; undefined for other names and for networks. */
export function reverseIpKey(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (four !== null) return ipKey(four.slice(1).toReversed().join("."));
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name);
  return six?.[1]?.replaceAll(".", "").split("").toReversed().join("");
}
