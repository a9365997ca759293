import { expect, test } from "vitest";
import { dealHand, hashFlow } from "./shuffle-sharding.ts";

test.each([
  { deck: 128, hand: 8 },
  { deck: 64, hand: 6 },
  { deck: 6, hand: 6 },
  { deck: 1, hand: 1 },
])("$hand of $deck queues are different ones of the deck", ({ deck, hand }) => {
  for (let i = 0; i < 200; i++) {
    const dealt = dealHand(hashFlow("schema", `user-${i}`), deck, hand);
    expect(new Set(dealt).size).toBe(hand);
    expect(dealt.every((card) => card >= 0 && card < deck)).toBe(true);
  }
});

test("all hands are equally likely", () => {
  const seen = new Map<string, number>();
  for (let hash = 0n; hash < 60n; hash++) {
    const hand = [...dealHand(hash, 5, 3)].sort().join();
    seen.set(hand, (seen.get(hand) ?? 0) + 1);
  }
  expect([...seen.values()]).toEqual(Array.from({ length: 10 }, () => 6));
});

test("a flow always has the same hand, and schemas tell flows of one user apart", () => {
  expect(hashFlow("a", "u")).toBe(hashFlow("a", "u"));
  expect(hashFlow("a", "u")).not.toBe(hashFlow("b", "u"));
  expect(hashFlow("a", "bu")).not.toBe(hashFlow("ab", "u"));
});
