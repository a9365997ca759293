import { expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "./certificate-signers.ts";

const csr = (status: object): object => ({ metadata: { name: "c" }, spec: { signerName: "example.com/s", request: "" }, status });

async function judge(
  rights: readonly string[],
  subresource: string,
  status: object,
  resource = "certificatesigningrequests",
): Promise<string> {
  const authorizer: Authorizer = {
    authorize: ({ verb, resource: kind, name }) =>
      rights.includes(`${verb} ${kind} ${name}`) ? { decision: "allow", reason: "" } : { decision: "no-opinion", reason: "" },
  };
  const attributes = {
    operation: "UPDATE",
    group: "certificates.k8s.io",
    resource,
    subresource,
    name: "c",
    object: csr(status),
    oldObject: csr({}),
    context: { user: { name: "u", uid: "", groups: [], extra: {} } },
  } as unknown as AdmissionAttributes;
  try {
    const plugins = [certificateApproval(authorizer), certificateSigning(authorizer), certificateSubjectRestriction];
    for (const plugin of plugins) await plugin({} as AdmissionModules).validate?.(attributes);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const refused = (verb: string): string =>
  `certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to ${verb} requests with signerName "example.com/s"`;
const conditions = { conditions: [{ type: "Approved", status: "True" }] };

test.each([
  { name: "approving without the right", rights: [], subresource: "approval", status: conditions, want: refused("approve") },
  { name: "with the right", rights: ["approve signers example.com/s"], subresource: "approval", status: conditions, want: "" },
  {
    name: "with that of the domain",
    rights: ["approve signers example.com/*"],
    subresource: "approval",
    status: conditions,
    want: "",
  },
  {
    name: "signing with that",
    rights: ["approve signers example.com/*"],
    subresource: "status",
    status: { certificate: "x" },
    want: refused("sign"),
  },
  { name: "a status that changes nothing", rights: [], subresource: "status", status: {}, want: "" },
  { name: "the request itself", rights: [], subresource: "", status: {}, want: "" },
])("$name", async ({ rights, subresource, status, want }) => {
  expect(await judge(rights, subresource, status)).toBe(want);
});

test("the status of pods' requests is their signer's to write", async () => {
  const write = (rights: readonly string[], status: object): Promise<string> =>
    judge(rights, "status", status, "podcertificaterequests");
  const detail = 'User "u" is not permitted to "sign" for signer "example.com/s"';
  expect(await write([], conditions)).toBe(
    `PodCertificateRequest.certificates.k8s.io "c" is invalid: spec.signerName: Forbidden: ${detail}`,
  );
  expect(await write(["sign signers example.com/s"], conditions)).toBe("");
  expect(await write([], {})).toBe("");
});
