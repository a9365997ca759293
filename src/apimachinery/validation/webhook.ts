import { type FieldError, goQuote, invalid, required } from "./field-error.ts";
import type { FieldPath } from "./field-path.ts";
import { isDns1123Subdomain, isValidPortNum } from "./names.ts";

/** A Service that a webhook is called by. */
export interface WebhookService {
  readonly name?: string;
  readonly namespace?: string;
  readonly path?: string;
  readonly port?: number;
}

const FORM = "; desired format: https://host[/path]";

/** Upstream's `webhook.ValidateWebhookURL`. */
export function validateWebhookUrl(text: string, path: FieldPath): FieldError[] {
  const wrong = urlProblem(text);
  if (wrong !== undefined) return [required(path, `url must be a valid URL: parse ${goQuote(text)}: ${wrong}${FORM}`)];
  // RFC 3986, appendix B.
  const [, , scheme = "", , authority = "", , , query = "", , fragment = ""] =
    /^(([^:/?#]+):)?(\/\/([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?/.exec(text) ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== "https") {
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`));
  }
  if (host === "") errors.push(invalid(path, host, `host must be specified${FORM}`));
  if (at >= 0) errors.push(invalid(path, authority.slice(0, at), "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalid(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
  return errors;
}

/** What Go's `url.Parse` refuses of what people write. */
function urlProblem(text: string): string | undefined {
  const colon = text.indexOf(":");
  const head = text.slice(0, Math.max(colon, 0));
  if (colon === 0) return "missing protocol scheme";
  for (const ch of text) if (ch < " " || ch === "\x7f") return "net/url: invalid control character in URL";
  if (colon > 0 && !/[/?#]/.test(head) && !/^[a-zA-Z][a-zA-Z0-9+.-]*$/.test(head) && /^[^a-zA-Z]/.test(head)) {
    return "first path segment in URL cannot contain colon";
  }
  const authority = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const bad = /[ "<>\\^`{|}]/.exec(host);
  if (bad) return `invalid character ${goQuote(bad[0])} in host name`;
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  return port !== undefined && !/^[0-9]*$/.test(port) ? `invalid port ":${port}" after host` : undefined;
}

/** Upstream's `webhook.ValidateWebhookService`. */
export function validateWebhookService(service: WebhookService, path: FieldPath): FieldError[] {
  const { name, namespace, path: urlPath = "", port = 0 } = service;
  const errors: FieldError[] = [];
  // Upstream hands name and namespace over in the wrong order, so that each complains in the other's place.
  if (!namespace) errors.push(required(path.child("name"), ""));
  if (!name) errors.push(required(path.child("namespace"), ""));
  const wrong = isValidPortNum(port);
  if (wrong.length > 0) errors.push(invalid(path.child("port"), port, `port is not valid: ${wrong.join(",")}`));
  const at = path.child("path");
  if (urlPath === "" || urlPath === "/") return errors;
  if (urlPath === "//") return [...errors, invalid(at, urlPath, "segment[0] may not be empty")];
  if (!urlPath.startsWith("/")) errors.push(invalid(at, urlPath, "must start with a '/'"));
  for (const [i, step] of urlPath.slice(1).replace(/\/$/, "").split("/").entries()) {
    const messages =
      step === "" ? [`segment[${i}] may not be empty`] : isDns1123Subdomain(step).map((m) => `segment[${i}]: ${m}`);
    errors.push(...messages.map((message) => invalid(at, urlPath, message)));
  }
  return errors;
}
