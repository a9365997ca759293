import { expect, test } from "vitest";
import type { Status as ReturnedStatus } from "#api/generated/meta/v1.ts";
import { reviewVersionOf, verifyAnswer } from "./admission-review.ts";
import { denial } from "./call-hook.ts";

const PATCH = Buffer.from('[{"op":"add","path":"/a","value":1}]').toString("base64");
const review = (response?: object, apiVersion = "admission.k8s.io/v1"): object => ({
  apiVersion,
  kind: "AdmissionReview",
  response,
});

test.each([
  { accepts: ["v1"], want: "v1" },
  { accepts: ["v1beta1", "v1"], want: "v1beta1" },
  { accepts: ["v9", "v1"], want: "v1" },
  { accepts: ["v9"], want: undefined },
])("of $accepts the version is $want", ({ accepts, want }) => {
  expect(reviewVersionOf(accepts)).toBe(want);
});

test.each([
  { name: "no response", mutating: true, answer: review(), says: "webhook response was absent" },
  { name: "another uid", mutating: true, answer: review({ uid: "b" }), says: 'expected response.uid="a", got "b"' },
  {
    name: "no kind",
    mutating: true,
    answer: { response: { uid: "a" } },
    says: "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=",
  },
  {
    name: "another version",
    mutating: true,
    answer: review({ uid: "a" }, "admission.k8s.io/v1beta1"),
    says: "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview",
  },
  {
    name: "a patch without a type",
    mutating: true,
    answer: review({ uid: "a", patch: PATCH }),
    says: "webhook returned response.patch but not response.patchType",
  },
  {
    name: "a type without a patch",
    mutating: true,
    answer: review({ uid: "a", patchType: "JSONPatch" }),
    says: "webhook returned response.patchType but not response.patch",
  },
  {
    name: "a patch of a validating webhook",
    mutating: false,
    answer: review({ uid: "a", patch: PATCH }),
    says: "validating webhook may not return response.patch",
  },
])("$name is refused", ({ mutating, answer, says }) => {
  expect(() => verifyAnswer("v1", "a", mutating, answer)).toThrow(says);
});

test("in v1beta1 neither uid nor kind are looked at, and a patch is a JSON patch", () => {
  const { patch, patchType } = verifyAnswer("v1beta1", "a", true, { response: { allowed: true, patch: PATCH } });
  expect([patch.toString(), patchType]).toEqual(['[{"op":"add","path":"/a","value":1}]', "JSONPatch"]);
});

test.each([
  { result: undefined, code: 400, message: 'admission webhook "w" denied the request without explanation' },
  { result: { message: "no" }, code: 400, message: 'admission webhook "w" denied the request: no' },
  { result: { reason: "Forbidden", code: 403 }, code: 403, message: 'admission webhook "w" denied the request: Forbidden' },
  {
    result: { code: 200, status: "Success" },
    code: 400,
    message: 'admission webhook "w" denied the request without explanation',
  },
])("a denial with $result is $code", ({ result, code, message }) => {
  expect(denial("w", result as ReturnedStatus | undefined).status).toMatchObject({ code, message, status: "Failure" });
});
