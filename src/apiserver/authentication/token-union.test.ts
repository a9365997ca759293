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

test("a token is looked at once while what it says holds", async () => {
  let asked = 0;
  let holds = true;
  const verdict = (): TokenVerdict => {
    asked++;
    return holds ? { user, holds: () => holds } : undefined;
  };
  const union = new TokenUnion([{ authenticate: verdict }], ["api"]);
  const first = await union.authenticate("t", []);
  expect(first).toMatchObject({ user: inAll, audiences: ["api"] });
  expect(union.authenticate("t", [])).toBe(first);
  expect(asked).toBe(1);
  // What is asked for another audience is another question.
  expect(await union.authenticate("t", ["other"])).toEqual(none("invalid bearer token"));
  holds = false;
  expect(await union.authenticate("t", [])).toEqual(none("invalid bearer token"));
  holds = true;
  expect(await union.authenticate("t", [])).toMatchObject({ user: inAll });
  expect(asked).toBe(4);
});

test("a kind that cannot tell whether a token still holds is asked each time", async () => {
  let asked = 0;
  const union = new TokenUnion([{ authenticate: () => ({ user, at: asked++ }) }], ["api"]);
  await union.authenticate("t", []);
  await union.authenticate("t", []);
  expect(asked).toBe(2);
});
