import { expect, test } from "vitest";
import { PortAllocator, PortOperation } from "./port-allocator.ts";
import { PortSet } from "./port-set.ts";

/** Always the first of those to choose from. */
const first = { int: () => 0 } as unknown as ConstructorParameters<typeof PortAllocator>[1];
const TAKEN = "provided port is already allocated";

test("numbers are handed out above the band that is kept for those who ask by number, and in it at last", () => {
  const ports = new PortAllocator("30000-30019", first);
  const given = Array.from({ length: 20 }, () => ports.allocateNext());
  expect(given.slice(0, 5)).toEqual([30016, 30017, 30018, 30019, 30000]);
  expect(() => ports.allocateNext()).toThrow("range is full");
});

test.each([
  ["below the range", 29999, "provided port is not in the valid range. The range of valid ports is 30000-30019"],
  ["taken", 30001, TAKEN],
])("a port %s is refused", (_, port, message) => {
  const ports = new PortAllocator("30000-30019", first, new PortSet([29_999, 30_001]));
  expect(() => ports.allocate(port)).toThrow(message);
});

test("what is taken beyond the range does not count", () => {
  const ports = new PortAllocator("30000-30019", first, new PortSet([29_999, 30_000, 30_019, 30_020]));
  expect(ports.amounts()).toEqual({ allocated: 2, available: 18 });
  expect([29_999, 30_000, 30_020].map((port) => ports.has(port))).toEqual([false, true, false]);
});

test("a write that fails gives back what it took, one that succeeds what it let go", () => {
  const ports = new PortAllocator("30000-30019", first, new PortSet([30_005]));
  const failed = new PortOperation(ports, "allocate");
  failed.allocate(30001);
  failed.releaseDeferred(30005);
  failed.rollback();
  expect([ports.has(30001), ports.has(30005)]).toEqual([false, true]);
  const done = new PortOperation(ports, "allocate");
  done.allocate(30001);
  done.releaseDeferred(30005);
  done.commit();
  expect([ports.has(30001), ports.has(30005)]).toEqual([true, false]);
});

test("a dry run takes nothing, and shows numbers beyond the range", () => {
  const ports = new PortAllocator("30000-30019", first);
  const dry = new PortOperation(ports, "dry-run");
  expect([dry.allocateNext(), dry.allocateNext()]).toEqual([32769, 32770]);
  dry.allocate(30001);
  expect(() => dry.allocate(30001)).toThrow(TAKEN);
  dry.commit();
  expect(ports.has(30001)).toBe(false);
});
