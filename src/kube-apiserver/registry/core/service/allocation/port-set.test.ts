import { expect, test } from "vitest";
import { PortSet } from "./port-set.ts";

const all = (ports: PortSet): number[] => ports.without(new PortSet());

test("ports come and go, a copy by itself; what is no port is let be", () => {
  const ports = new PortSet([30_000, 30_001, 65_535, 65_536, -1]);
  const copy = ports.clone();
  ports.delete(30_001);
  ports.delete(30_002);
  ports.delete(65_536);
  copy.add(1);
  expect(all(ports)).toEqual([30_000, 65_535]);
  expect(all(copy)).toEqual([1, 30_000, 30_001, 65_535]);
  expect([ports.has(30_000), ports.has(30_001), ports.has(65_536), ports.has(-1)]).toEqual([true, false, false, false]);
  expect(copy.count(1, 30_001)).toBe(3);
});

test("what one has and the other has not, and what both have", () => {
  const ports = new PortSet([8, 9, 100]);
  const others = new PortSet([9, 101]);
  expect(ports.without(others)).toEqual([8, 100]);
  ports.addAll(others);
  expect(all(ports)).toEqual([8, 9, 100, 101]);
});

test.each([0, 30_000, 30_003, 32_767])("as a large number from %i up, and back", (low) => {
  const ports = [0, 1, 7, 8, 9, 30, 1_000].map((offset) => low + offset);
  const number = new PortSet([...ports, low - 1]).toNumber(low);
  const value = ports.reduce((sum, port) => sum + (1n << BigInt(port - low)), 0n);
  expect(Buffer.from(number).toString("hex")).toBe(value.toString(16).padStart(2 * number.length, "0"));
  expect(all(PortSet.fromNumber(number, low))).toEqual(ports);
});

test("none are no number", () => {
  expect(new PortSet().toNumber(30_000)).toEqual(new Uint8Array(0));
  expect(new PortSet([29_999]).toNumber(30_000)).toEqual(new Uint8Array(0));
  expect(all(PortSet.fromNumber(new Uint8Array(0), 30_000))).toEqual([]);
});
