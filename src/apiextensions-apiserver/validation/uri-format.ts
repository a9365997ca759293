const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** What may stand in a host beside what lies beyond ASCII. */
const HOST = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=<>"]|[^\0-\x7f]|%[89a-fA-F][0-9a-fA-F])*$/;
const ADDRESS = /^\[[^\]]*\](?::\d*)?$/;

/** An absolute URI, or an absolute path. Go's `url.ParseRequestURI`. */
export function isUri(text: string): boolean {
  for (const ch of text) if (ch < " " || ch === "\x7f") return false;
  if (text === "" || text.startsWith(":")) return false;
  if (text === "*") return true;
  const scheme = SCHEME.exec(text)?.[0] ?? "";
  const [rest = ""] = text.slice(scheme.length).split("?", 1);
  if (!rest.startsWith("/")) return scheme !== "";
  const authority = scheme !== "" && rest.startsWith("//") ? (/^\/\/([^/]*)/.exec(rest)?.[1] ?? "") : "";
  return isAuthority(authority) && !BAD_ESCAPE.test(rest.slice(authority === "" ? 0 : authority.length + 2));
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  if (!USER_INFO.test(user) || BAD_ESCAPE.test(user)) return false;
  const host = authority.slice(at + 1);
  if (host.startsWith("[")) return ADDRESS.test(host);
  const [name = "", port = "", ...more] = host.split(":");
  return more.length === 0 && HOST.test(name) && /^\d*$/.test(port);
}
