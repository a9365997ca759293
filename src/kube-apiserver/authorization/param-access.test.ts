import { expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { paramAccessCheck } from "./param-access.ts";

const KIND = { apiVersion: "v1", kind: "ConfigMap" };
const ALICE = "&{alice  [staff] map[]}";

async function judge(rights: readonly string[], resource: string, spec: object, change: object = {}): Promise<string> {
  const authorizer: Authorizer = {
    authorize: ({ verb, apiGroup, resource: of, namespace, name }) => ({
      decision: rights.includes(`${verb} ${apiGroup}/${of} ${namespace}/${name}`) ? "allow" : "no-opinion",
      reason: "",
    }),
  };
  const stores = {
    of: () => ({ cached: (_: string, name: string) => (name === "p" ? { spec: { paramKind: KIND } } : undefined) }),
  };
  const attributes = {
    operation: "CREATE",
    group: "admissionregistration.k8s.io",
    resource,
    kind: "K",
    subresource: "",
    object: { metadata: { name: "a" }, spec },
    context: { user: { name: "alice", uid: "", groups: ["staff"], extra: {} } },
    ...change,
  } as unknown as AdmissionAttributes;
  const check = paramAccessCheck(authorizer, (group, _, kind) =>
    group === "" && kind === "ConfigMap" ? "configmaps" : undefined,
  );
  try {
    await check({ stores } as unknown as AdmissionModules).validate?.(attributes);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const NOT_ALL = `K.admissionregistration.k8s.io "a" is invalid: spec.paramKind: Forbidden: user ${ALICE} must have "get" permission on all objects of the referenced paramKind`;
const NOT_THESE = (verb: string): string =>
  `K.admissionregistration.k8s.io "a" is invalid: spec.paramRef: Forbidden: user ${verb} does not have "${ALICE}" permission on the object referenced by paramRef`;
const POLICY = "validatingadmissionpolicies";
const BINDING = "mutatingadmissionpolicybindings";

test.each([
  { name: "a policy without parameters", resource: POLICY, spec: {}, rights: [], want: "" },
  {
    name: "a policy of what cannot be read",
    resource: POLICY,
    spec: { paramKind: KIND },
    rights: ["get /configmaps ns/a"],
    want: `${NOT_ALL} (kind=ConfigMap, apiVersion=v1)`,
  },
  { name: "a policy of what can", resource: POLICY, spec: { paramKind: KIND }, rights: ["get /configmaps */*"], want: "" },
  {
    name: "a policy of an unknown kind",
    resource: POLICY,
    spec: { paramKind: { apiVersion: "x.io/v1", kind: "X" } },
    rights: ["get x.io/* */*"],
    want: "",
  },
  {
    name: "a binding to an object",
    resource: BINDING,
    spec: { policyName: "p", paramRef: { name: "c" } },
    rights: [],
    want: NOT_THESE("get"),
  },
  {
    name: "a binding to what can be read",
    resource: BINDING,
    spec: { policyName: "p", paramRef: { name: "c", namespace: "n" } },
    rights: ["get /configmaps n/c"],
    want: "",
  },
  {
    name: "a binding to a selection",
    resource: BINDING,
    spec: { policyName: "p", paramRef: { selector: {} } },
    rights: [],
    want: NOT_THESE("list"),
  },
  {
    name: "a binding of no known policy",
    resource: BINDING,
    spec: { policyName: "q", paramRef: { selector: {} } },
    rights: ["list */* /"],
    want: "",
  },
])("$name", async ({ resource, spec, rights, want }) => {
  expect(await judge(rights, resource, spec)).toBe(want);
});

test("what was there before, and what a master writes, is not asked about", async () => {
  const spec = { paramKind: { ...KIND } };
  expect(await judge([], POLICY, spec, { operation: "UPDATE", oldObject: { spec: { paramKind: KIND } } })).toBe("");
  const user = { name: "root", uid: "", groups: ["system:masters"], extra: {} };
  expect(await judge([], POLICY, spec, { context: { user } })).toBe("");
});
