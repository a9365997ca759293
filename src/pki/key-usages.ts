import { ownValue } from "#base/own-value.ts";
import { derBits, derOid } from "./der.ts";

/** Bits of the extension keyUsage (RFC 5280 §4.2.1.3), by Kubernetes' names. */
const KEY_USAGE_BITS: Readonly<Record<string, number>> = {
  signing: 0,
  "digital signature": 0,
  "content commitment": 1,
  "key encipherment": 2,
  "data encipherment": 3,
  "key agreement": 4,
  "cert sign": 5,
  "crl sign": 6,
  "encipher only": 7,
  "decipher only": 8,
};

/** Purposes of the extension extKeyUsage, by Kubernetes' names, in the order in which they are written. */
const PURPOSES: readonly (readonly [names: readonly string[], id: string])[] = [
  [["any"], "2.5.29.37.0"],
  [["server auth"], "1.3.6.1.5.5.7.3.1"],
  [["client auth"], "1.3.6.1.5.5.7.3.2"],
  [["code signing"], "1.3.6.1.5.5.7.3.3"],
  [["email protection", "s/mime"], "1.3.6.1.5.5.7.3.4"],
  [["ipsec end system"], "1.3.6.1.5.5.7.3.5"],
  [["ipsec tunnel"], "1.3.6.1.5.5.7.3.6"],
  [["ipsec user"], "1.3.6.1.5.5.7.3.7"],
  [["timestamping"], "1.3.6.1.5.5.7.3.8"],
  [["ocsp signing"], "1.3.6.1.5.5.7.3.9"],
  [["microsoft sgc"], "1.3.6.1.4.1.311.10.3.3"],
  [["netscape sgc"], "2.16.840.1.113730.4.1"],
];

/** DER of the BIT STRING that says what a key is for; undefined when no usage is among its bits. */
export function keyUsageBits(usages: readonly string[]): Buffer | undefined {
  const octets = [0, 0];
  let last = -1;
  for (const usage of usages) {
    const bit = ownValue(KEY_USAGE_BITS, usage);
    if (bit === undefined) continue;
    octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
    last = Math.max(last, bit);
  }
  return last < 0 ? undefined : derBits(Buffer.from(octets.slice(0, (last >> 3) + 1)), 7 - (last & 7));
}

/** DER of the object identifiers of the purposes among the usages. */
export function extendedUsages(usages: readonly string[]): readonly Buffer[] {
  return PURPOSES.filter(([names]) => names.some((name) => usages.includes(name))).map(([, id]) => derOid(id));
}
