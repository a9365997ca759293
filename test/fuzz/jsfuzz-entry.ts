import { runGuarded } from "./guard.ts";
import type { FuzzTarget } from "./target.ts";

/** What istanbul counts in a file. */
interface FileCoverage {
  s: Record<string, number>;
  f: Record<string, number>;
  b: Record<string, number[] | Uint32Array>;
}

interface Coverage {
  readonly [path: string]: FileCoverage;
}

/** Code with counters in it runs so much slower. */
const SLOWNESS = 5;

let target: FuzzTarget | undefined;
let prepared: Promise<void> | undefined;

/** Says which target the bundle is for. */
export function setTarget(value: FuzzTarget): void {
  target = value;
}

/** What the target begins with. */
export function seeds(): readonly Buffer[] {
  return (target?.seeds ?? []).map((seed) => (typeof seed === "string" ? Buffer.from(seed) : Buffer.from(seed)));
}

/** jsfuzz's entry: called with one input after another. */
export async function fuzz(bytes: Buffer): Promise<void> {
  if (target === undefined) throw new Error("no target");
  prepared ??= prepare(target);
  await prepared;
  counters.fill(0);
  runGuarded(target, bytes, SLOWNESS);
  if (sawNew()) seen.push(1);
}

let counters: Uint32Array = new Uint32Array();
/** For each counter, how often it ran, by powers of four: bits of those that came up. */
let buckets: Uint8Array = new Uint8Array();
/** What jsfuzz adds up: one more for each input that showed something new. */
const seen: number[] = [1];

async function prepare({ prepare: load }: FuzzTarget): Promise<void> {
  await load?.();
  const all = (globalThis as unknown as { __kybern_coverage__?: Coverage }).__kybern_coverage__ ?? {};
  counters = inOneArray(Object.values(all));
  buckets = new Uint8Array(counters.length);
  (globalThis as unknown as { __coverage__: unknown }).__coverage__ = { all: { s: seen, f: {}, b: {} } };
}

/** Puts all counters side by side, so that they can be cleared and looked through in microseconds. */
function inOneArray(files: readonly FileCoverage[]): Uint32Array {
  let size = 0;
  for (const { s, f, b } of files) {
    size += Object.keys(s).length + Object.keys(f).length;
    for (const branches of Object.values(b)) size += branches.length;
  }
  const all = new Uint32Array(size);
  let at = 0;
  const take = (length: number): Uint32Array => {
    at += length;
    return all.subarray(at - length, at);
  };
  for (const file of files) {
    file.s = take(Object.keys(file.s).length) as unknown as Record<string, number>;
    file.f = take(Object.keys(file.f).length) as unknown as Record<string, number>;
    for (const [id, branches] of Object.entries(file.b)) file.b[id] = take(branches.length);
  }
  return all;
}

function sawNew(): boolean {
  let found = false;
  for (let i = 0; i < counters.length; i++) {
    const count = counters[i] as number;
    if (count === 0) continue;
    const bucket = 1 << Math.min(7, (32 - Math.clz32(count)) >> 1);
    if (((buckets[i] as number) & bucket) !== 0) continue;
    buckets[i] = (buckets[i] as number) | bucket;
    found = true;
  }
  return found;
}
