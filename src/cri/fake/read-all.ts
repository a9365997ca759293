import type { Allowance } from "./allowance.ts";
import type { Input } from "./byte-pipe.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { FileError } from "./memory-files.ts";

/** How much a program holds of what it reads, in bytes. */
export const HELD_BYTES_MAX: number = 16 * 1024 * 1024;

/**
 * Lets `use` have all that is left to read, which counts as held until it has ended. Throws {@link FileError} when that is
 * more than `bytesMax`, or than the container may hold.
 */
export async function withAll<T>(
  input: Input,
  allowance: Allowance,
  use: (data: Buffer) => T | Promise<T>,
  bytesMax: number = HELD_BYTES_MAX,
): Promise<T> {
  const all = new GrowingBytes();
  let taken = 0;
  try {
    for (let chunk = await input.read(); chunk !== undefined; chunk = await input.read()) {
      if (all.length + chunk.length > bytesMax || !allowance.take(chunk.length)) throw new FileError("Cannot allocate memory");
      taken += chunk.length;
      all.add(chunk);
    }
    return await use(all.bytes);
  } finally {
    allowance.take(-taken);
  }
}
