import type { UserInfo } from "../request/request-info.ts";
import type { Exchange } from "../server/exchange.ts";

/** The headers in which a front proxy says whom it asks for. */
export interface RequestHeaderNames {
  /** Upstream's `--requestheader-username-headers`: the first that holds something counts. */
  readonly username: readonly string[];
  readonly uid: readonly string[];
  readonly group: readonly string[];
  readonly extraPrefix: readonly string[];
}

/** The names that upstream's guides use. */
export const REQUEST_HEADERS: RequestHeaderNames = {
  username: ["X-Remote-User"],
  uid: [],
  group: ["X-Remote-Group"],
  extraPrefix: ["X-Remote-Extra-"],
};

/** Whom a proxy asks for; undefined when it names nobody. The proxy must have been trusted before. */
export function requestHeaderUser(
  exchange: Pick<Exchange, "headers" | "headerLines">,
  names: RequestHeaderNames,
): UserInfo | undefined {
  const lines = (name: string): readonly string[] => exchange.headerLines(name.toLowerCase()).filter((line) => line !== "");
  const first = (headers: readonly string[]): string => headers.flatMap(lines)[0] ?? "";
  const name = first(names.username);
  if (name === "") return undefined;
  const extra: Record<string, string[]> = {};
  for (const prefix of names.extraPrefix.map((text) => text.toLowerCase())) {
    for (const header of Object.keys(exchange.headers)) {
      if (!header.startsWith(prefix)) continue;
      const key = unescapePath(header.slice(prefix.length));
      extra[key] = [...(extra[key] ?? []), ...exchange.headerLines(header)];
    }
  }
  return { name, uid: first(names.uid), groups: names.group.flatMap(lines), extra };
}

/** Undoes `%`-escapes; what is malformed stays as it is. */
export function unescapePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
