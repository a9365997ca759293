import { expect, test } from "vitest";
import type { ServiceCIDR } from "#api/generated/networking/v1.ts";
import { serviceCidrMismatch } from "./service-cidr.ts";

const of = (...cidrs: string[]): ServiceCIDR => ({ metadata: { name: "kubernetes" }, spec: { cidrs } });

test.each([
  [of("10.0.0.0/24", "fd00::/112"), ["10.0.0.0/24", "fd00::/112"], undefined],
  [undefined, ["10.0.0.0/24"], undefined],
  [
    of("10.0.0.0/24"),
    ["10.96.0.0/12"],
    "The default ServiceCIDR [10.0.0.0/24] does not match the controller flag configurations [10.96.0.0/12]",
  ],
  [
    of("10.0.0.0/24", "fd00::/112"),
    ["10.0.0.0/24"],
    "The default ServiceCIDR [10.0.0.0/24 fd00::/112] does not match the controller flag configurations [10.0.0.0/24]",
  ],
])("%j and %j", (present, ranges, want) => {
  expect(serviceCidrMismatch(present, ranges)).toBe(want);
});
