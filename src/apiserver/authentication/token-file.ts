import { createHash } from "node:crypto";
import { ConfigurationError } from "../configuration-file.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { TokenMethod } from "./token-union.ts";

/**
 * Tokens of `--token-auth-file`: lines of `token,user,uid` and optionally `"group1,group2"`. Throws when a line says less.
 * The table holds hashes, so that looking one up takes no longer the more of a token was guessed.
 */
export function tokenFile(text: string, path: string): TokenMethod {
  const users = new Map<string, UserInfo>();
  for (const [line, fields] of parseCsv(text)) {
    const [token = "", name = "", uid = "", groups = ""] = fields.map((field) => field.trim());
    if (fields.length < 3) {
      throw new ConfigurationError(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${fields.length} in line ${line}`,
      );
    }
    // Upstream leaves out tokens that are empty.
    if (token === "") continue;
    const list = groups.split(",").map((group) => group.trim());
    users.set(digest(token), { name, uid, groups: list.filter((group) => group !== ""), extra: {} });
  }
  return {
    authenticate(token) {
      const user = users.get(digest(token));
      return user === undefined ? undefined : { user, holds: () => true };
    },
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

/** The fields of each line that is neither empty nor a comment, with the line's number (RFC 4180, without breaks in quotes). */
function parseCsv(text: string): (readonly [number, readonly string[]])[] {
  const lines = text.split(/\r?\n/).map((line, i) => [i + 1, line] as const);
  return lines.filter(([, line]) => line.trim() !== "" && !line.startsWith("#")).map(([i, line]) => [i, fieldsOf(line)]);
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? "";
    if (quoted && char === '"' && line[i + 1] === '"') {
      field += char;
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === "," && !quoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field];
}
