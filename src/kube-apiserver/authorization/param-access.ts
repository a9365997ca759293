import type { ParamKind, ParamRef } from "#api/generated/admissionregistration/v1.ts";
import { invalid } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { forbidden } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { AdmissionAttributes, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import type { UserInfo } from "#apiserver/request/request-info.ts";

const GROUP = "admissionregistration.k8s.io";
/** The kinds of policy, and the resource of the policies that each kind of binding names. */
const POLICIES = ["validatingadmissionpolicies", "mutatingadmissionpolicies"];
const POLICIES_OF: Readonly<Record<string, string>> = {
  validatingadmissionpolicybindings: "validatingadmissionpolicies",
  mutatingadmissionpolicybindings: "mutatingadmissionpolicies",
};

/** What of policies and bindings counts here. */
interface ParamSpec {
  readonly spec?: { readonly paramKind?: ParamKind; readonly paramRef?: ParamRef; readonly policyName?: string };
}

/** Finds the plural of a served kind. */
export type ResourceOfKind = (group: string, version: string, kind: string) => string | undefined;

/** Looks among the kinds that are stored; asked when requests come, not before. */
export function servedResources(stores: () => StoreRegistry): ResourceOfKind {
  return (group, version, kind) => {
    for (const { definition, forms } of stores().all()) {
      if (definition.kind !== kind) continue;
      if (forms.some((form) => form.group === group && form.version === version)) return definition.plural;
    }
    return undefined;
  };
}

/**
 * Nobody reads through a policy what they may not read: who writes one that names a kind of parameters must be allowed to
 * get all of them, who binds one to parameters must be allowed to read these (upstream's `authorize` of the strategies of
 * policies and bindings). Runs on what is valid, and answers as validation does.
 */
export function paramAccessCheck(authorizer: Authorizer, resourceOfKind: ResourceOfKind): AdmissionPluginFactory {
  return ({ stores }) => ({
    name: "ParamAccess",
    validate: (attributes) => {
      const { group, subresource, operation, object, resource, context } = attributes;
      if (group !== GROUP || subresource !== "" || object === undefined) return;
      if ((operation !== "CREATE" && operation !== "UPDATE") || context.user.groups.includes("system:masters")) return;
      if (POLICIES.includes(resource)) return checkPolicy(authorizer, resourceOfKind, attributes);
      if (POLICIES_OF[resource] !== undefined) return checkBinding(authorizer, resourceOfKind, stores, attributes);
    },
  });
}

async function checkPolicy(
  authorizer: Authorizer,
  resourceOfKind: ResourceOfKind,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { paramKind } = (attributes.object as ParamSpec).spec ?? {};
  const old = (attributes.oldObject as ParamSpec | undefined)?.spec?.paramKind;
  if (paramKind === undefined || (old !== undefined && semanticEqual(old, paramKind))) return;
  const asked = { verb: "get", name: "*", namespace: "*", ...wantedResource(paramKind, resourceOfKind) };
  if (await isAllowed(authorizer, attributes.context.user, asked)) return;
  const { kind = "", apiVersion = "" } = paramKind;
  const user = formatUser(attributes.context.user);
  const problem = `user ${user} must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`;
  throw refused(attributes, "paramKind", problem);
}

async function checkBinding(
  authorizer: Authorizer,
  resourceOfKind: ResourceOfKind,
  stores: Stores,
  attributes: AdmissionAttributes,
): Promise<void> {
  // Upstream's comparison with the old reference never finds them equal: it compares addresses of what hangs on them.
  const { paramRef, policyName = "" } = (attributes.object as ParamSpec).spec ?? {};
  if (paramRef === undefined) return;
  const policies = stores.of(GROUP, POLICIES_OF[attributes.resource] ?? "");
  const paramKind = (policies.cached("", policyName) as ParamSpec | undefined)?.spec?.paramKind;
  const { name = "", namespace = "" } = paramRef;
  const verb = name === "" ? "list" : "get";
  const asked = { verb, name, namespace, ...wantedResource(paramKind, resourceOfKind) };
  if (await isAllowed(authorizer, attributes.context.user, asked)) return;
  // The user and the verb stand in each other's place upstream.
  const problem = `user ${verb} does not have "${formatUser(attributes.context.user)}" permission on the object referenced by paramRef`;
  throw refused(attributes, "paramRef", problem);
}

interface Wanted {
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
}

/** What is to be read, as narrow as it is known. */
function wantedResource(paramKind: ParamKind | undefined, resourceOfKind: ResourceOfKind): Wanted {
  const parts = paramKind?.apiVersion?.split("/") ?? [];
  if (paramKind === undefined || parts.length > 2) return { apiGroup: "*", apiVersion: "*", resource: "*" };
  const [apiGroup = "", apiVersion = ""] = parts.length === 2 ? parts : ["", ...parts];
  return { apiGroup, apiVersion, resource: resourceOfKind(apiGroup, apiVersion, paramKind.kind ?? "") ?? "*" };
}

async function isAllowed(
  authorizer: Authorizer,
  user: UserInfo,
  asked: Wanted & { readonly verb: string; readonly name: string; readonly namespace: string },
): Promise<boolean> {
  const answer = await authorizer.authorize({ ...asked, user, isResourceRequest: true, subresource: "", path: "" });
  return answer.decision === "allow";
}

function refused({ object, kind }: AdmissionAttributes, field: string, problem: string): Error {
  const error = forbidden(FieldPath.of("spec").child(field), problem);
  return invalid({ group: GROUP, kind }, object?.metadata.name ?? "", [error]);
}

/** As Go prints a user. */
function formatUser({ name, uid, groups, extra }: UserInfo): string {
  const entries = Object.keys(extra)
    .sort()
    .map((key) => `${key}:[${(extra[key] ?? []).join(" ")}]`);
  return `&{${name} ${uid} [${groups.join(" ")}] map[${entries.join(" ")}]}`;
}
