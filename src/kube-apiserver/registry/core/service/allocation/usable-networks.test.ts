import { expect, test } from "vitest";
import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import { usableNetworks } from "./usable-networks.ts";

const of = (name: string, cidrs: readonly string[], ready?: string, deletionTimestamp?: string): ServiceCIDR =>
  ({
    metadata: { name, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { cidrs },
    ...(ready === undefined ? {} : { status: { conditions: [{ type: "Ready", status: ready }] } }),
  }) as unknown as ServiceCIDR;
const OWN = of("kubernetes", ["10.0.0.0/24", "fd00::/112"], "True");
const V4 = "10.0.0.0/24";
const V6 = "fd00::/112";

test.each<[string, ServiceCIDR[], string, string[]]>([
  ["the flag's until the default one is there", [of("a", ["10.1.0.0/24"])], V4, [V4, "10.1.0.0/24"]],
  ["the default one's, of the family", [OWN], V6, [V6]],
  ["the default one's first", [of("a", ["10.1.0.0/24"]), OWN], V4, [V4, "10.1.0.0/24"]],
  ["what the flag says otherwise does not count", [OWN], "10.9.0.0/24", [V4]],
  ["not of those that are not ready", [OWN, of("a", ["10.1.0.0/24"], "False")], V4, [V4]],
  ["not of those that go", [OWN, of("a", ["10.1.0.0/24"], "True", "2030-01-01T00:00:00Z")], V4, [V4]],
  ["each once", [OWN, of("a", ["10.0.0.0/24"], "True")], V4, [V4]],
  ["none where none is ready", [of("kubernetes", [V4], "False")], V4, []],
])("%s", (_, serviceCidrs, range, want) => {
  expect(usableNetworks(serviceCidrs, range)).toEqual(want);
});
