import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AuditEvent } from "./audit-event.ts";

/** An event as one line for people: the format `legacy`, upstream's `audit.EventString`. Holds no bodies. */
export function eventLine(event: AuditEvent): string {
  const { username = "", groups = [] } = event.user;
  const as = event.impersonatedUser;
  const { code } = (event.responseStatus ?? {}) as { readonly code?: number };
  const fields: readonly (readonly [string, string])[] = [
    ["id", event.auditID],
    ["stage", event.stage],
    ["ip", event.sourceIPs?.[0] ?? "<unknown>"],
    ["method", event.verb],
    ["user", username || "<none>"],
    ["groups", username === "" || groups.length === 0 ? "<none>" : quotedList(groups)],
    ["as", as === undefined ? "<self>" : (as.username ?? "")],
    ["asgroups", as?.groups === undefined ? "<lookup>" : quotedList(as.groups)],
    ["user-agent", event.userAgent ?? ""],
    ["namespace", event.objectRef?.namespace || "<none>"],
    ["uri", event.requestURI],
  ];
  const texts = fields.map(([name, value]) => `${name}=${goQuote(value)}`);
  return `${withoutZeros(event.requestReceivedTimestamp)} AUDIT: ${texts.join(" ")} response="${code ?? "<deferred>"}"`;
}

function quotedList(texts: readonly string[]): string {
  return texts.map(goQuote).join(",");
}

/** Go's RFC3339Nano has no zeros at the end of a second's parts. */
function withoutZeros(time: string): string {
  return time.replace(/\.?0+Z$/, "Z");
}
