import { posix } from "node:path";

/** A URL or a part of one, as it stands in a link. Texts are as written but for `path`, which is decoded. */
export interface UrlReference {
  readonly scheme: string;
  /** With user and port; empty when the reference has none. */
  readonly host: string;
  readonly path: string;
  /** The path as written. */
  readonly rawPath: string;
  /** Query and fragment with their marks. */
  readonly rest: string;
  /** Such as `mailto:somebody`: it has no path. */
  readonly opaque: boolean;
}

/** Parses a reference as Go's `url.Parse` does, as far as links need it; undefined where that is an error. */
export function parseReference(text: string): UrlReference | undefined {
  if (hasControl(text)) return undefined;
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(\/\/[^/?#]*)?([^?#]*)(.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, scheme = "", authority = "", rawPath = "", rest = ""] = match;
  // A colon in the first segment would have been a scheme.
  if (scheme === "" && authority === "" && /^[^/]*:/.test(rawPath)) return undefined;
  const path = decodedPath(rawPath);
  if (path === undefined) return undefined;
  const opaque = scheme !== "" && authority === "" && rawPath !== "" && !rawPath.startsWith("/");
  return { scheme: scheme.toLowerCase(), host: authority.slice(2), path, rawPath, rest, opaque };
}

/** The reference as one text. */
export function formatReference({ scheme, host, rawPath, rest }: Omit<UrlReference, "path" | "opaque">): string {
  const before = scheme === "" ? "" : `${scheme}:`;
  const slash = host !== "" && rawPath !== "" && !rawPath.startsWith("/") ? "/" : "";
  return `${before}${host === "" ? "" : `//${host}`}${slash}${rawPath}${rest}`;
}

/** A path with what may not stand in one escaped, as Go's `EscapedPath` writes it. */
export function escapedPath(path: string): string {
  return path.replace(/[^A-Za-z0-9$&+,/:;=@\-_.~]+/g, (text) => encodeURIComponent(text).replace(/[!'()*]/g, hex));
}

/** Go's `path.Join`: what is empty is left out, and there is no slash at the end. */
export function joinPath(...parts: readonly string[]): string {
  const some = parts.filter((part) => part !== "");
  if (some.length === 0) return "";
  const joined = posix.join(...some);
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined;
}

/** Upstream's `JoinPreservingTrailingSlash`. */
export function joinPathKeepingSlash(...parts: readonly string[]): string {
  const joined = joinPath(...parts);
  const last = parts.findLast((part) => part !== "");
  return last?.endsWith("/") === true && !joined.endsWith("/") ? `${joined}/` : joined;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function decodedPath(raw: string): string | undefined {
  if (!raw.includes("%")) return raw;
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    // Bytes that are no UTF-8 stay as they are.
    return raw;
  }
}

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
