import { expect, test } from "vitest";
import type { Clock } from "#base/clock.ts";
import type { TokenOutcome } from "./authenticator.ts";
import { TokenCache } from "./token-cache.ts";

const good: TokenOutcome = { user: { name: "u", uid: "", groups: [], extra: {} }, audiences: ["a"] };
const bad: TokenOutcome = { user: undefined, error: "gone" };

function cached(): { cache: TokenCache; asked: string[]; state: { now: number; outcome: TokenOutcome } } {
  const state = { now: 0, outcome: good };
  const asked: string[] = [];
  const tokens = {
    authenticate: async (token: string) => {
      asked.push(token);
      return state.outcome;
    },
  };
  return { cache: new TokenCache(tokens, { now: () => state.now } as Clock), asked, state };
}

test("a good token stays good for a short while, whatever becomes of it", async () => {
  const { cache, asked, state } = cached();
  await cache.authenticate("t", []);
  state.outcome = bad;
  state.now = 799;
  expect(await cache.authenticate("t", [])).toBe(good);
  state.now = 800;
  expect(await cache.authenticate("t", [])).toBe(bad);
  expect(asked).toEqual(["t", "t"]);
});

test("a refusal is not remembered, and audiences are told apart", async () => {
  const { cache, asked, state } = cached();
  state.outcome = bad;
  await cache.authenticate("t", []);
  state.outcome = good;
  expect(await cache.authenticate("t", [])).toBe(good);
  await cache.authenticate("t", ["a"]);
  expect(asked).toHaveLength(3);
});
