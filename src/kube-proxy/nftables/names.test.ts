import { expect, test } from "vitest";
import type { Endpoint } from "../traffic/endpoints.ts";
import type { ProxiedPort } from "../traffic/proxied-port.ts";
import { base32, chainNames, endpointNames } from "./names.ts";

const port = (namespace: string, service: string): ProxiedPort =>
  ({ namespace, service, name: "p80", protocol: "tcp" }) as ProxiedPort;

// Upstream's own expectations of its chains.
test.each([
  ["ns1", "svc1", "service-ULMVA6XW-ns1/svc1/tcp/p80"],
  ["ns2", "svc2", "service-42NFTM6N-ns2/svc2/tcp/p80"],
  ["ns5", "svc5", "service-HVFWP5L3-ns5/svc5/tcp/p80"],
])("the chain of %s/%s is %s", (namespace, service, want) => {
  expect(chainNames(port(namespace, service)).cluster).toBe(want);
});

test.each([
  [{ address: "10.180.0.3", port: 80 }, "GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80"],
  [{ address: "fd00::1", port: 80 }, expect.stringMatching(/^[A-Z2-7]{8}-ns5\/svc5\/tcp\/p80__fd00\.\.1\/80$/)],
])("an endpoint's chain and set are named for it: %j", (endpoint, want) => {
  const { chain, affinity } = endpointNames(port("ns5", "svc5"), endpoint as Endpoint);
  expect(chain.replace("endpoint-", "")).toEqual(want);
  expect(affinity).toBe(chain.replace("endpoint-", "affinity-"));
});

test("names that are too long are cut, and told apart by their hash", () => {
  const long = port("n".repeat(120), "s".repeat(120));
  const { cluster } = chainNames(long);
  expect(cluster.length).toBeLessThanOrEqual(256);
  expect(cluster).toMatch(/\.\.\.$/);
  expect(chainNames({ ...long, name: "other" }).cluster).not.toBe(cluster);
});

test.each([
  ["", ""],
  ["fooba", "MZXW6YTB"],
  ["foobarbaz1", "MZXW6YTBOJRGC6RR"],
])("base32 of %j is %j", (text, want) => {
  expect(base32(Buffer.from(text))).toBe(want);
});
