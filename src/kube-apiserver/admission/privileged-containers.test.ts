import { expect, test } from "vitest";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import { denyPrivilegedContainers } from "./privileged-containers.ts";

const { validate } = denyPrivilegedContainers({} as never);
const spec = { containers: [{ name: "a" }, { name: "b", securityContext: { privileged: true } }] };
const check = (group: string, resource: string, object: object, subresource = ""): unknown =>
  validate?.({ operation: "CREATE", group, resource, subresource, kind: "K", object } as unknown as AdmissionAttributes);

test.each([
  ["", "pods", { metadata: { name: "x" }, spec }, "spec"],
  ["apps", "deployments", { metadata: {}, spec: { template: { spec } } }, "spec.template.spec"],
  [
    "batch",
    "cronjobs",
    { metadata: {}, spec: { jobTemplate: { spec: { template: { spec } } } } },
    "spec.jobTemplate.spec.template.spec",
  ],
])("%s/%s with a privileged container is refused", (group, resource, object, path) => {
  expect(() => check(group, resource, object)).toThrow(
    `${path}.containers[1].securityContext.privileged: Forbidden: disallowed by cluster policy`,
  );
});

test("others are not looked at", () => {
  expect(check("", "pods", { metadata: {}, spec: { containers: [{ name: "a" }] } })).toBeUndefined();
  expect(check("", "pods", { metadata: {}, spec }, "status")).toBeUndefined();
  expect(check("", "services", { metadata: {}, spec })).toBeUndefined();
});
