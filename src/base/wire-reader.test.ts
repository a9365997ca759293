import { expect, test } from "vitest";
import { WireReader } from "./wire-reader.ts";

/** The varint of an unsigned integer, as the wire format defines it. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

const edges = Array.from({ length: 64 }, (_, bits) => 1n << BigInt(bits)).flatMap((power) => [power - 1n, power, power + 1n]);
const values = [...edges, -1n, -5n, -(1n << 63n), 14_841_639_068_965_178_418n];

test("integers of every length are read, the negative too, and what follows them", () => {
  const reader = new WireReader(Uint8Array.from(values.flatMap((value) => [8, ...varint(value)])));
  const read: number[] = [];
  reader.fields(() => void read.push(reader.integer()));
  expect(read).toEqual(values.map((value) => Number(BigInt.asIntN(64, value))));
});

test("integers of every length are passed over", () => {
  const reader = new WireReader(Uint8Array.from(values.flatMap((value) => [8, ...varint(value), 16, 7])));
  const read: number[] = [];
  reader.fields((number, wire) => {
    if (number === 2) read.push(reader.integer());
    else reader.skip(wire);
  });
  expect(read).toEqual(values.map(() => 7));
});

test.each([
  { name: "cut off", bytes: [8, 0x80], want: "unexpected EOF" },
  { name: "cut off behind what a number holds", bytes: [8, ...Array<number>(8).fill(0x80)], want: "unexpected EOF" },
  { name: "without an end", bytes: [8, ...Array<number>(11).fill(0x80)], want: "integer overflow" },
])("an integer that is $name is refused, read or passed over", ({ bytes, want }) => {
  const reader = new WireReader(Uint8Array.from(bytes));
  expect(() => reader.fields(() => void reader.integer())).toThrow(want);
  const skipping = new WireReader(Uint8Array.from(bytes));
  expect(() => skipping.fields((_, wire) => skipping.skip(wire))).toThrow(want);
});
