import type { DnsConfig } from "#cri/pod-sandbox.ts";

/** The most of a `resolv.conf` that is read, in bytes. */
export const RESOLV_CONF_BYTES_MAX: number = 10 * 1024 * 1024;

/** Reads a `resolv.conf` (upstream's `parseResolvConf`): nameservers add up, of searches and options the last line counts. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.slice(0, RESOLV_CONF_BYTES_MAX).split("\n")) {
    const trimmed = line.trim();
    if (trimmed.startsWith("#")) continue;
    const [keyword, ...words] = trimmed.split(/\s+/);
    if (keyword === "nameserver") {
      const [server] = words;
      if (server === undefined) throw new Error("nameserver list is empty ");
      servers.push(server);
    } else if (keyword === "search") {
      // A domain is the same with and without its last dot.
      searches = words.map((word) => (word === "." ? word : word.replace(/\.$/, "")));
    } else if (keyword === "options") options = words;
  }
  return { servers, searches, options };
}

/** The file that a configuration stands for, as runtimes write it. */
export function formatResolvConf({ servers, searches, options }: DnsConfig): string {
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(" ")}`]),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(" ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
