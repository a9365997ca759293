import { goQuote } from "../../validation/field-error.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, type CelType, listOf, mapOf, STRING, structOf } from "../types.ts";
import { ArrayList, CelError, type CelValue, EntryMap, LibraryValue } from "../values.ts";

/** The type of `url('https://example.com')`. */
export const URL_TYPE: CelType = structOf("kubernetes.URL");

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

class UrlValue extends LibraryValue {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly parts: Parts;

  constructor(text: string, parts: Parts) {
    super();
    this.text = text;
    this.parts = parts;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

/** Kubernetes' URL library. */
export const urls: readonly Declaration[] = [
  declareFunction("url", "string_to_url", [STRING], URL_TYPE, ([text]) => {
    const problem = requestUriProblem(text as string);
    if (problem !== undefined) throw new CelError(`URL parse error during conversion from string: ${problem}`);
    return new UrlValue(text as string, split(text as string));
  }),
  get("getScheme", "url_get_scheme", ({ scheme }) => scheme),
  get("getHost", "url_get_host", ({ host }) => host),
  get("getHostname", "url_get_hostname", ({ host }) => host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")),
  get("getPort", "url_get_port", ({ host }) => /:(\d*)$/.exec(host.replace(/^\[.*\]/, ""))?.[1] ?? ""),
  get("getEscapedPath", "url_get_escaped_path", ({ path }) => escapePath(path)),
  declareMethod("getQuery", "url_get_query", [URL_TYPE], mapOf(STRING, listOf(STRING)), ([value]) =>
    query((value as UrlValue).parts.query),
  ),
  declareFunction("isURL", "is_url_string", [STRING], BOOL, ([text]) => requestUriProblem(text as string) === undefined),
];

function get(name: string, id: string, run: (parts: Parts) => string): Declaration {
  return declareMethod(name, id, [URL_TYPE], STRING, ([value]) => run((value as UrlValue).parts));
}

function split(text: string): Parts {
  const [, scheme = "", , authority = "", path = "", , search = ""] =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?/.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return { scheme: scheme.toLowerCase(), host: decodeHost(host), path, query: search };
}

function decodeHost(host: string): string {
  try {
    return decodeURIComponent(host);
  } catch {
    return host;
  }
}

/** A path as it was given, when that is a valid way to write it; escaped otherwise. */
function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (char) => encodeURIComponent(char));
}

function query(search: string): CelValue {
  const values = new Map<string, string[]>();
  for (const pair of search.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const at = pair.indexOf("=");
    const key = unescapeQuery(at < 0 ? pair : pair.slice(0, at));
    const value = unescapeQuery(at < 0 ? "" : pair.slice(at + 1));
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return new EntryMap([...values].map(([key, list]) => [key, new ArrayList(list)] as const));
}

function unescapeQuery(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** What Go's `url.ParseRequestURI` has against a text; undefined for nothing. */
export function requestUriProblem(text: string): string | undefined {
  const fail = (why: string): string => `parse ${goQuote(text)}: ${why}`;
  if (/\p{Cc}/u.test(text.replace(/[\u0080-\u009f]/g, ""))) return fail("net/url: invalid control character in URL");
  if (text === "") return fail("empty url");
  if (text === "*") return undefined;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*(?=:)/.exec(text)?.[0];
  if (text.startsWith(":")) return fail("missing protocol scheme");
  if (scheme === undefined && /^[0-9+.-][a-zA-Z0-9+.-]*:/.test(text))
    return fail("first path segment in URL cannot contain colon");
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1);
  const [before = ""] = rest.split("?");
  if (!before.startsWith("/")) return scheme !== undefined ? undefined : fail("invalid URI for request");
  const authority =
    before.startsWith("//") && (scheme !== undefined || !before.startsWith("///"))
      ? (before.slice(2).split("/")[0] ?? "")
      : undefined;
  const problem = (authority === undefined ? undefined : authorityProblem(authority)) ?? escapeProblem(before);
  return problem === undefined ? undefined : fail(problem);
}

function authorityProblem(authority: string): string | undefined {
  const at = authority.lastIndexOf("@");
  if (at >= 0 && !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(authority.slice(0, at))) return "net/url: invalid userinfo";
  const host = authority.slice(at + 1);
  if (host.startsWith("[")) {
    const close = host.lastIndexOf("]");
    if (close < 0) return "missing ']' in host";
    const port = host.slice(close + 1);
    return /^(:\d*)?$/.test(port) ? undefined : `invalid port ${goQuote(port)} after host`;
  }
  const colon = host.lastIndexOf(":");
  const port = colon < 0 ? "" : host.slice(colon);
  if (!/^(:\d*)?$/.test(port)) return `invalid port ${goQuote(port)} after host`;
  const bad = /[ "<>\\^`{|}]/.exec(host.replace(/%[0-9a-fA-F]{2}/g, ""))?.[0];
  return bad === undefined || bad === '"' || bad === "<" || bad === ">"
    ? undefined
    : `invalid character ${goQuote(bad)} in host name`;
}

function escapeProblem(text: string): string | undefined {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0];
  return bad === undefined ? undefined : `invalid URL escape ${goQuote(bad)}`;
}
