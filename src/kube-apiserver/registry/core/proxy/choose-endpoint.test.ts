import { expect, test } from "vitest";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { seededRandom } from "#base/random.ts";
import { chooseEndpoint } from "./choose-endpoint.ts";

function slice(
  name: string,
  addressType: string,
  endpoints: readonly object[],
  port: object = { name: "http", port: 8080 },
): EndpointSlice {
  const labels = { "kubernetes.io/service-name": name };
  return { metadata: { labels }, addressType, ports: [port], endpoints } as unknown as EndpointSlice;
}

const ready = (address: string): object => ({ addresses: [address] });
const unready = (address: string): object => ({ addresses: [address], conditions: { ready: false } });
const wish = { service: "web", port: "http", family: "IPv4", random: seededRandom(1), accepts: () => true };

test.each([
  ["a ready endpoint", [slice("web", "IPv4", [unready("10.0.0.1"), ready("10.0.0.2")])], {}, "10.0.0.2:8080"],
  ["another service's", [slice("other", "IPv4", [ready("10.0.0.1")])], {}, undefined],
  ["another port's", [slice("web", "IPv4", [ready("10.0.0.1")])], { port: "" }, undefined],
  ["a port without a name", [slice("web", "IPv4", [ready("10.0.0.1")], { port: 80 })], { port: "" }, "10.0.0.1:80"],
  ["any port", [slice("web", "IPv4", [ready("10.0.0.1")], { name: "http" })], {}, undefined],
  [
    "the family wished for",
    [slice("web", "IPv4", [ready("10.0.0.1")]), slice("web", "IPv6", [ready("fd00::1")])],
    { family: "IPv6" },
    "fd00::1:8080",
  ],
  [
    "the other family",
    [slice("web", "IPv6", [ready("fd00::1")]), slice("web", "IPv4", [unready("10.0.0.1")])],
    {},
    "fd00::1:8080",
  ],
  ["one that is not accepted", [slice("web", "IPv4", [ready("10.0.0.1")])], { accepts: () => false }, undefined],
])("%s", (_name, slices, more, want) => {
  const found = chooseEndpoint(slices, { ...wish, ...more });
  expect(found && `${found.address}:${found.port}`).toBe(want);
});
