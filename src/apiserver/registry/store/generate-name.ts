import type { Random } from "#base/random.ts";

/** Names tried for a `generateName` before the create fails (upstream's `maxNameGenerationCreateAttempts`). */
export const NAME_ATTEMPTS_MAX = 8;
/** Length of the random suffix. */
const SUFFIX_LENGTH = 5;
/** Longest prefix that is used: a generated name fits in 63 characters. */
const PREFIX_LENGTH_MAX: number = 63 - SUFFIX_LENGTH;
/** No vowels and no digits that look like them, so that no words come about. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** The prefix, cut to {@link PREFIX_LENGTH_MAX}, and five random characters. */
export function generateName(random: Random, prefix: string): string {
  let name = prefix.slice(0, PREFIX_LENGTH_MAX);
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += ALPHABET[random.int(ALPHABET.length)];
  return name;
}
