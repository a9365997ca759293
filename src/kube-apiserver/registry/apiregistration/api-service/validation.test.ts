import { expect, test } from "vitest";
import type { APIService } from "#api/generated/apiregistration/v1.ts";
import { validateApiService, validateApiServiceStatus } from "./validation.ts";

const apiService = (change: object, name = "v1.a.example.com"): APIService =>
  ({
    metadata: { name },
    spec: { group: "a.example.com", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, ...change },
  }) as APIService;
const cases: [string, APIService, string[]][] = [
  ["what it needs", apiService({}), []],
  ["another name", apiService({}, "a"), ["metadata.name"]],
  ["no group", apiService({ group: "", version: "v2" }, "v2."), ["spec.group"]],
  ["too high a priority", apiService({ versionPriority: 1001 }), ["spec.versionPriority"]],
  ["a certificate for nobody", apiService({ caBundle: "AA==" }), ["spec.caBundle"]],
  ["a service without a namespace", apiService({ service: { name: "a", port: 443 } }), ["spec.service.namespace"]],
];
test.each(cases)("API service with %s", (_name, object, want) => {
  expect(validateApiService(object).map(({ field }) => field)).toEqual(want);
});

test("conditions are true, false or unknown", () => {
  const conditions = ["True", "maybe", undefined].map((status) => ({ type: "Available", status }));
  const object = { ...apiService({}), status: { conditions } } as APIService;
  const detail = 'supported values: "True", "False", "Unknown"';
  expect(validateApiServiceStatus(object).map(({ field, message }) => `${field}: ${message}`)).toEqual([
    `status.conditions[1].status: Unsupported value: "maybe": ${detail}`,
    `status.conditions[2].status: Unsupported value: "": ${detail}`,
  ]);
});
