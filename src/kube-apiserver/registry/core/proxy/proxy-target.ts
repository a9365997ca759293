/** What the name in the path of a proxy request holds: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. */
export interface ProxyTarget {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

const SCHEMES: readonly string[] = ["", "http", "https"];

/** Upstream's `SplitSchemeNamePort`; undefined when the text is none of the three forms. */
export function parseProxyTarget(text: string): ProxyTarget | undefined {
  const parts = text.split(":");
  if (parts.length > 3) return undefined;
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  return name !== "" && SCHEMES.includes(scheme) ? { scheme, name, port } : undefined;
}
