import { beforeAll, expect, test } from "vitest";
import type { ValidatingAdmissionPolicy } from "#api/generated/admissionregistration/v1.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";
import { checkedKinds } from "./checked-kinds.ts";
import { kindSchema, type OpenApiDocument } from "./open-api-schema.ts";
import { reconcile } from "./reconcile.ts";

let cel: KubernetesCel;
beforeAll(async () => {
  cel = await loadKubernetesCel();
});

const KIND = { group: "apps", version: "v1", kind: "Deployment" };
const DOCUMENT: OpenApiDocument = {
  components: {
    schemas: {
      "apps.v1.Deployment": {
        type: "object",
        properties: { spec: { default: {}, allOf: [{ $ref: "#/components/schemas/apps.v1.DeploymentSpec" }] } },
        "x-kubernetes-group-version-kind": [KIND],
      },
      "apps.v1.DeploymentSpec": {
        type: "object",
        properties: {
          replicas: { type: "integer" },
          port: { format: "int-or-string" },
          inner: { $ref: "#/components/schemas/apps.v1.DeploymentSpec" },
        },
      },
    },
  },
};

/** The warnings for a policy of one validation. */
function warnings(spec: object, status?: object): unknown {
  const policy = { metadata: { name: "p", generation: 1 }, spec, status } as ValidatingAdmissionPolicy;
  const schema = kindSchema(DOCUMENT, KIND) ?? {};
  const actions = reconcile({ policy, kinds: [{ kind: KIND, schema }], params: undefined, cel });
  return actions[0]?.status.typeChecking?.expressionWarnings?.map(({ fieldRef, warning }) => `${fieldRef} ${warning}`);
}

test.each([
  ["what fits", { validations: [{ expression: "object.spec.replicas <= 5 && object.spec.port == 'x'" }] }, undefined],
  [
    "an unknown field",
    { validations: [{ expression: "object.spec.nope > 5" }] },
    [
      "spec.validations[0].expression apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n | object.spec.nope > 5\n | ...........^\n",
    ],
  ],
  [
    "a message",
    {
      validations: [
        { expression: "true", messageExpression: "object.spec" },
        { expression: "true", messageExpression: "x" },
      ],
    },
    [
      "spec.validations[1].messageExpression apps/v1, Kind=Deployment: ERROR: <input>:1:1: undeclared reference to 'x' (in container '')\n | x\n | ^\n",
    ],
  ],
  [
    "a variable that is none",
    { variables: [{ name: "r", expression: "object.nope" }], validations: [{ expression: "variables.r" }] },
    undefined,
  ],
  ["what contains itself", { validations: [{ expression: "has(object.spec.inner)" }] }, undefined],
])("%s", (_name, spec, want) => expect(warnings(spec)).toEqual(want));

test("a policy is checked once for each change", () => {
  const policy = { metadata: { name: "p", generation: 2 }, spec: {}, status: { observedGeneration: 2 } };
  expect(reconcile({ policy: policy as ValidatingAdmissionPolicy, kinds: [], params: undefined, cel })).toEqual([]);
});

const served = (resource: string, kind: string): DiscoveredResource => ({
  id: { group: "apps", version: "v1", resource },
  kind,
  namespaced: true,
  verbs: [],
  preferred: true,
});
test.each([
  [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments", "daemonsets"] }, ["DaemonSet", "Deployment"]],
  [{ apiGroups: ["*"], apiVersions: ["v1"], resources: ["deployments"] }, []],
  [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["*", "deployments/scale"] }, []],
])("%o", (rule, want) => {
  const kinds = checkedKinds({ matchConstraints: { resourceRules: [rule] } }, [
    served("deployments", "Deployment"),
    served("daemonsets", "DaemonSet"),
  ]);
  expect(kinds.map(({ kind }) => kind)).toEqual(want);
});
