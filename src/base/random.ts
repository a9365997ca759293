import { randomBytes, randomUUID } from "node:crypto";

/** Randomness, as a parameter: the system's in programs, seeded in simulations. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** An integer in [0, limit). */
  int(limit: number): number;
  bytes(length: number): Uint8Array;
  /** A version 4 UUID in lower case. */
  uuid(): string;
}

/** Randomness from the operating system. `float` and `int` are not for secrets; `bytes` and `uuid` are. */
export const systemRandom: Random = {
  float: Math.random,
  int: (limit) => Math.floor(Math.random() * limit),
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};

/** A repeatable generator (mulberry32): the same seed gives the same sequence. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (limit: number): number => Math.floor(float() * limit);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => int(256));
  const uuid = (): string => {
    const b = bytes(16);
    b[6] = ((b[6] ?? 0) & 0x0f) | 0x40;
    b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
    const hex = Buffer.from(b).toString("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };
  return { float, int, bytes, uuid };
}
