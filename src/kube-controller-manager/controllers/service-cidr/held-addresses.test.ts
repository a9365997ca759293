import { expect, test } from "vitest";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { ObjectCache } from "#client/object-cache.ts";
import { HeldAddresses } from "./held-addresses.ts";

const address = (name: string, counts = "yes"): IPAddress => ({ metadata: { name, labels: { counts } } }) as unknown as IPAddress;
const cidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } });
const A = cidr("a", "10.0.0.0/24", "fd00::/112");

function setUp(...names: string[]): { cache: ObjectCache<IPAddress>; held: HeldAddresses; looks: () => number } {
  let looks = 0;
  const cache = new ObjectCache<IPAddress>();
  const all = (): readonly IPAddress[] => {
    looks++;
    return cache.list();
  };
  const held = new HeldAddresses(all, ({ metadata }) => metadata.labels?.counts === "yes");
  cache.addTally(held);
  for (const name of names) cache.set(address(name));
  return { cache, held, looks: () => looks };
}

test("addresses that come and go are followed, and not looked for again", () => {
  const { cache, held, looks } = setUp("10.0.0.1", "10.9.0.1");
  expect(held.has(A, [A])).toBe(true);
  cache.delete("", "10.0.0.1");
  expect(held.has(A, [A])).toBe(false);
  cache.set(address("fd00::1", "no"));
  expect(held.has(A, [A])).toBe(false);
  cache.set(address("fd00::1"));
  expect(held.has(A, [A])).toBe(true);
  cache.set(address("fd00::1", "no"));
  expect(held.has(A, [A])).toBe(false);
  expect(looks()).toBe(1);
});

test("all are looked at again when other ServiceCIDRs come, change or go", () => {
  const { held, looks } = setUp("10.0.0.1");
  expect(held.has(A, [A])).toBe(true);
  expect(held.has(A, [A, cidr("b", "10.0.0.0/16")])).toBe(false);
  expect(held.has(A, [A, cidr("b", "10.1.0.0/16")])).toBe(true);
  expect(held.has(A, [cidr("b", "10.1.0.0/16"), A])).toBe(true);
  expect(looks()).toBe(3);
});

test("one that is forgotten is looked at anew", () => {
  const { cache, held, looks } = setUp();
  expect(held.has(A, [A])).toBe(false);
  held.forget("a");
  cache.set(address("10.0.0.1"));
  expect(held.has(A, [A])).toBe(true);
  expect(looks()).toBe(2);
});
