const MODULUS = 65521;

/** The Adler-32 checksum of the bytes (RFC 1950, section 8.2). */
export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % MODULUS;
    high = (high + low) % MODULUS;
  }
  return high * 65536 + low;
}
