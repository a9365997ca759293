import { expect, test } from "vitest";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { refusalOfPodCertificate } from "./node-certificates.ts";

const pod = (nodeName: string, more: object = {}): object => ({
  metadata: { uid: "pod-uid", ...more },
  spec: { nodeName, serviceAccountName: "sa" },
});
const STORED: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  nodes: { n: { metadata: { uid: "node-uid" } } },
  pods: {
    p: pod("n"),
    elsewhere: pod("m"),
    mirror: pod("n", { annotations: { "kubernetes.io/config.mirror": "x" } }),
    "of-nobody": { metadata: { uid: "pod-uid" }, spec: { nodeName: "n", serviceAccountName: "gone" } },
  },
  serviceaccounts: { sa: { metadata: { uid: "sa-uid" } } },
};
const stores = { of: (_: string, plural: string) => ({ cached: (__: string, name: string) => STORED[plural]?.[name] }) };

function refusal(spec: object, more: object = {}): string {
  const right = {
    nodeName: "n",
    nodeUID: "node-uid",
    podName: "p",
    podUID: "pod-uid",
    serviceAccountName: "sa",
    serviceAccountUID: "sa-uid",
  };
  const object = { spec: { ...right, ...spec } };
  const attributes = { operation: "CREATE", subresource: "", namespace: "ns", object, ...more } as unknown as AdmissionAttributes;
  try {
    return refusalOfPodCertificate("n", attributes, stores as unknown as Stores) ?? "";
  } catch (error) {
    return `500 ${(error as Error).message.replace("Internal error occurred: ", "")}`;
  }
}

const FOR_P = 'PodCertificateRequest for pod "ns/p"';

test.each<[string, object, string, object?]>([
  ["a pod of its own", {}, ""],
  ["a change", {}, "unexpected operation", { operation: "UPDATE" }],
  ["a status", {}, "unexpected subresource status", { subresource: "status" }],
  ["another node", { nodeName: "m" }, 'PodCertificateRequest.Spec.NodeName="m", which is not the requesting node "n"'],
  [
    "a node that was there before",
    { nodeUID: "old" },
    `500 ${FOR_P} names node UID "old", inconsistent with the running node ("node-uid")`,
  ],
  [
    "a pod that is not there",
    { podName: "none" },
    '500 while retrieving pod "ns/none" named in the PodCertificateRequest: pod "none" not found',
  ],
  [
    "a pod that was there before",
    { podUID: "old" },
    `500 ${FOR_P} contains pod UID ("old") which differs from running pod "pod-uid"`,
  ],
  [
    "a pod elsewhere",
    { podName: "elsewhere" },
    'pod "ns/elsewhere" is not running on node "n" named in the PodCertificateRequest',
  ],
  ["a pod of its files", { podName: "mirror" }, 'pod "ns/mirror" is a mirror pod'],
  [
    "another account",
    { serviceAccountName: "admin" },
    `${FOR_P} contains serviceAccountName ("admin") that differs from running pod ("sa")`,
  ],
  [
    "an account that is not there",
    { podName: "of-nobody", serviceAccountName: "gone" },
    '500 while retrieving service account "ns/gone" named in the PodCertificateRequest: serviceaccount "gone" not found',
  ],
  [
    "an account that was there before",
    { serviceAccountUID: "old" },
    `500 ${FOR_P} names service account UID "old", which differs from the running service account ("sa-uid")`,
  ],
])("a node asks for the certificate of %s", (_, spec, want, more) => {
  expect(refusal(spec, more)).toBe(want);
});
