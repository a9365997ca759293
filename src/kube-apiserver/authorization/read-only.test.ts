import { expect, test } from "vitest";
import { readOnlyAuthorizer } from "./read-only.ts";

const { authorize } = readOnlyAuthorizer({ authorize: () => ({ decision: "allow", reason: "" }) });
const user = { name: "admin", uid: "", groups: ["system:masters"], extra: {} };

test.each([
  { verb: "get", resource: "pods", want: "allow" },
  { verb: "watch", resource: "pods", want: "allow" },
  { verb: "create", resource: "pods", want: "deny" },
  { verb: "deletecollection", resource: "pods", want: "deny" },
  { verb: "get", resource: "pods", subresource: "log", want: "deny" },
  { verb: "get", resource: "pods", subresource: "status", want: "allow" },
  { verb: "create", resource: "selfsubjectaccessreviews", apiGroup: "authorization.k8s.io", want: "allow" },
  { verb: "create", resource: "serviceaccounts", subresource: "token", want: "deny" },
  { verb: "get", path: "/version", want: "allow" },
  { verb: "post", path: "/logs", want: "deny" },
])(
  "$verb $resource $subresource $path: $want",
  async ({ verb, resource = "", subresource = "", apiGroup = "", path = "", want }) => {
    const target = { apiGroup, apiVersion: "v1", namespace: "default", name: "", resource, subresource, path };
    expect(await authorize({ user, verb, isResourceRequest: path === "", ...target })).toMatchObject({ decision: want });
  },
);
