import { expect, test } from "vitest";
import { TokenUnion, type TokenVerdict } from "./token-union.ts";

const user = { name: "u", uid: "", groups: ["g"], extra: {} };
const inAll = { ...user, groups: ["g", "system:authenticated"] };
const none = (error: string): object => ({ user: undefined, error });

test.each<[string, TokenVerdict[], string[], object]>([
  ["the first that knows it says who", [undefined, { user, audiences: ["a"] }], ["a"], { user: inAll, audiences: ["a"] }],
  ["a kind without audiences is for the server", [{ user }], [], { user: inAll, audiences: ["api"] }],
  ["and for nobody else", [{ user }], ["other"], none("invalid bearer token")],
  ["an earlier problem does not matter then", [{ problem: "p" }, { user }], [], { user: inAll, audiences: ["api"] }],
  ["problems are told", [{ problem: "p" }, undefined, { problem: "q" }], [], none("[invalid bearer token, p, q]")],
  ["nobody knows it", [undefined], [], none("invalid bearer token")],
])("%s", async (_name, verdicts, audiences, want) => {
  const union = new TokenUnion(
    verdicts.map((verdict) => ({ authenticate: () => verdict })),
    ["api"],
  );
  expect(await union.authenticate("t", audiences)).toEqual(want);
});
