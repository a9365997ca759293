import { expect, test } from "vitest";
import type { LimitRange } from "#api/generated/core/v1.ts";
import { validateLimitRange } from "./validation.ts";

test.each<[object, string[]]>([
  [{ max: { cpu: "2" }, min: { cpu: "3" } }, ["spec.limits[0].min[cpu]: min value 3 is greater than max value 2"]],
  [
    { default: { "hugepages-2Mi": "4Mi" }, defaultRequest: { "hugepages-2Mi": "2Mi" } },
    ["spec.limits[0].defaultRequest[hugepages-2Mi]: default value 4Mi must equal to defaultRequest value 2Mi in hugepages-2Mi"],
  ],
  // What every object inherits is no amount.
  [{ max: { cpu: "2" }, min: { "example.com/constructor": "3", constructor: "1" } }, ["standard resource"]],
])("%j", (limits, want) => {
  const range = { metadata: { name: "a" }, spec: { limits: [{ type: "Container", ...limits }] } } as unknown as LimitRange;
  const found = validateLimitRange(range).map(({ field, message }) => `${field}: ${message}`);
  for (const text of want) expect(found.some((error) => error.includes(text.split(": ").at(-1) ?? ""))).toBe(true);
});
