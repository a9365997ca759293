import { bench, describe } from "vitest";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { RbacAuthorizer } from "./rbac-authorizer.ts";
import type { RbacBinding } from "./rbac-source.ts";

const RULES = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }];
const binding = (i: number): object => ({
  metadata: { name: `b${i}`, namespace: "default" },
  roleRef: { kind: "Role", name: `r${i}` },
  subjects: [{ kind: "User", name: `user-${i}` }],
});

function asked(user: string, verb: string): AuthorizationAttributes {
  return {
    user: { name: user, uid: "", groups: ["system:authenticated"], extra: {} },
    ...{ verb, isResourceRequest: true, namespace: "default", apiGroup: "", apiVersion: "v1" },
    ...{ resource: "pods", subresource: "", name: "a", path: "" },
  };
}

describe.each([10, 1_000])("RBAC with %i RoleBindings", (count) => {
  const bindings = Array.from({ length: count }, (_, i) => ({ place: `default/b${i}`, binding: binding(i) as RbacBinding }));
  let changes = [...bindings];
  let version = 0;
  const authorizer = new RbacAuthorizer({
    followBindings: () => () => changes.splice(0),
    rulesVersion: () => version,
    rules: () => RULES,
  });
  const allowed = asked(`user-${count - 1}`, "get");
  const refused = asked(`user-${count - 1}`, "delete");
  bench("allowed, remembered", () => void authorizer.authorize(allowed));
  bench("refused, remembered", () => void authorizer.authorize(refused));
  bench("after a role has changed", () => {
    version++;
    authorizer.authorize(allowed);
  });
  bench("after a binding has changed", () => {
    version++;
    changes = bindings.slice(0, 1);
    authorizer.authorize(allowed);
  });
});
