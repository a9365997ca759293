import { StatusError } from "#apimachinery/api-errors/status.ts";
import { readToken } from "#apiserver/authentication/jws.ts";
import { decodeContinue, encodeContinue } from "#apiserver/endpoints/handlers/continue-token.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const PREFIX = "/registry/pods/";
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Bearer tokens, continue tokens as they come and before they were encoded. */
export const target: FuzzTarget = {
  seeds: [
    `${part({ alg: "RS256", kid: "a" })}.${part({ iss: "b", sub: "c", aud: ["d"], exp: 1 })}.c2ln`,
    `${part({ alg: "constructor" })}.${part({ __proto__: 1 })}.AA`,
    encodeContinue(PREFIX, `${PREFIX}default/a`, 7),
    JSON.stringify({ v: "meta.k8s.io/v1", rv: 5, start: "default/a\u0000" }),
    JSON.stringify({ v: "meta.k8s.io/v1", rv: -1, start: "../a/./b//c" }),
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    readToken(text);
    readToken(`${part({ alg: "ES256" })}.${bytes.toString("base64url")}.AA`);
    for (const token of [text, bytes.toString("base64url")]) {
      const read = refusing([StatusError], () => decodeContinue(token, PREFIX));
      if (read === undefined) continue;
      check(read.startKey.startsWith(PREFIX) && !/\/\.\.?(\/|$)/.test(read.startKey), `leads out to ${read.startKey}`);
      check(Number.isSafeInteger(read.revision), `has the revision ${read.revision}`);
    }
  },
};
