import type { Entry } from "ldapts";

/** The texts of an attribute; its name counts in any case, as in directories. */
export function attributeValues(entry: Entry, attribute: string): string[] {
  const wanted = attribute.toLowerCase();
  const found = Object.entries(entry).find(([name]) => name !== "dn" && name.toLowerCase() === wanted)?.[1] ?? [];
  return (Array.isArray(found) ? found : [found]).map((value) => (typeof value === "string" ? value : value.toString("utf8")));
}

/** The value of a distinguished name's first part (`admins` of `cn=admins,ou=groups,dc=example`), unescaped (RFC 4514 §3); "" when there is none. */
export function firstNameOf(dn: string): string {
  const text = /^\s*[A-Za-z0-9.-]+\s*=\s*((?:\\[\s\S]|[^\\,+])*)/.exec(dn)?.[1] ?? "";
  if (text.startsWith("#")) return "";
  const bytes: Buffer[] = [];
  for (const [, hex, escaped, plain] of text
    .replace(/((?:^|[^\\])(?:\\\\)*) +$/, "$1")
    .matchAll(/\\([0-9A-Fa-f]{2})|\\([\s\S])|([^\\]+)/g)) {
    bytes.push(hex === undefined ? Buffer.from(escaped ?? plain ?? "") : Buffer.from(hex, "hex"));
  }
  return Buffer.concat(bytes).toString("utf8");
}
