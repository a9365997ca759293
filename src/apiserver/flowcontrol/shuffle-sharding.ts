import { createHash } from "node:crypto";

/** A flow's hash: the first eight bytes of SHA-256 over schema and distinguisher, as upstream's `hashFlowID`. */
export function hashFlow(schema: string, distinguisher: string): bigint {
  return createHash("sha256").update(schema).update("\0").update(distinguisher).digest().readBigUInt64LE(0);
}

/**
 * The queues that a flow may use: `handSize` of `deckSize`, different ones (upstream's `shufflesharding.Dealer`). Two flows
 * share all of them so rarely that one can hardly fill the other's.
 */
export function dealHand(hash: bigint, deckSize: number, handSize: number): readonly number[] {
  const remainders: number[] = [];
  let rest = hash;
  for (let i = 0; i < handSize; i++) {
    const size = BigInt(deckSize - i);
    remainders.push(Number(rest % size));
    rest /= size;
  }
  return remainders.map((remainder, i) => {
    let card = remainder;
    for (let j = i; j > 0; j--) if (card >= (remainders[j - 1] ?? 0)) card++;
    return card;
  });
}
