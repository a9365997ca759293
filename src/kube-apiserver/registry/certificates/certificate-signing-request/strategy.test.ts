import { describe, expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/generated/certificates/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import { csrApproval, csrStatus, setRequester } from "./strategy.ts";

const NOW = "2026-01-01T00:00:00Z";
const BEFORE = "2025-01-01T00:00:00Z";
const clock = { now: () => Date.parse(NOW) } as Clock;
const context = {
  user: { name: "jane", uid: "", groups: ["devs"], extra: { "example.com/k": ["v"] } },
} as unknown as RequestContext;

function csr(status: CertificateSigningRequest["status"]): Draft<CertificateSigningRequest> {
  return structuredClone({
    metadata: {},
    spec: { request: "cg==", signerName: "a/b" },
    status,
  }) as Draft<CertificateSigningRequest>;
}
const approved = { type: "Approved", status: "True", reason: "R", lastUpdateTime: BEFORE, lastTransitionTime: BEFORE };

test("the requester is who the server saw", () => {
  const request = csr({});
  request.spec = { ...request.spec, username: "admin", uid: "1", groups: ["system:masters"] };
  setRequester(request, context);
  expect(request.spec).toEqual({
    request: "cg==",
    signerName: "a/b",
    username: "jane",
    groups: ["devs"],
    extra: { "example.com/k": ["v"] },
  });
});

describe("approval", () => {
  const prepare = csrApproval(clock).prepareForUpdate;
  test("takes conditions, dates them, and keeps the certificate", () => {
    const request = csr({ conditions: [{ type: "Denied", status: "True" }], certificate: "x" });
    request.spec.signerName = "other/one";
    prepare?.(request, csr({ certificate: "old" }), context);
    const denied = { type: "Denied", status: "True", lastUpdateTime: NOW, lastTransitionTime: NOW };
    expect(request).toMatchObject({ spec: { signerName: "a/b" }, status: { certificate: "old", conditions: [denied] } });
  });
});

describe("status", () => {
  const prepare = csrStatus(clock).prepareForUpdate;
  test("takes the certificate and keeps the decision", () => {
    const request = csr({ conditions: [{ ...approved, reason: "Other" }], certificate: "x" });
    prepare?.(request, csr({ conditions: [approved] }), context);
    expect(request.status).toEqual({ certificate: "x", conditions: [approved] });
  });

  test("leaves a decision that was added to validation", () => {
    const request = csr({ conditions: [{ type: "Approved", status: "True" }] });
    prepare?.(request, csr({}), context);
    expect(request.status?.conditions).toHaveLength(1);
  });
});
