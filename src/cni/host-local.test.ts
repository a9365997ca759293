import { expect, test } from "vitest";
import { IpPool } from "./host-local.ts";

test("addresses are unique, come back last, and end", () => {
  const pool = new IpPool("10.244.3.0/24");
  const given = Array.from({ length: 253 }, () => pool.allocate());
  expect(given[0]).toBe("10.244.3.2");
  expect(given.at(-1)).toBe("10.244.3.254");
  expect(new Set(given).size).toBe(253);
  expect(() => pool.allocate()).toThrow("no IP addresses available");
  pool.release("10.244.3.7");
  expect(pool.allocate()).toBe("10.244.3.7");
});

test("an address that was given back is not the next one given out", () => {
  const pool = new IpPool("10.244.3.0/24");
  pool.release(pool.allocate());
  expect(pool.allocate()).toBe("10.244.3.3");
});
