import type { OwnerReference } from "#api/generated/meta/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { AuthorizationAttributes, Authorizer } from "#apiserver/authorization/authorizer.ts";

/** Which resources hold objects of a kind, and whether these live in namespaces. */
export type ResourcesOfKind = (
  apiVersion: string,
  kind: string,
) => readonly { readonly group: string; readonly version: string; readonly resource: string; readonly namespaced: boolean }[];

/**
 * Who makes an object's life depend on another's must be allowed to delete it; who makes another wait for it must be allowed to set
 * finalizers there.
 */
export function ownerReferencesPermissionEnforcement(
  authorizer: Authorizer,
  resourcesOf: ResourcesOfKind,
): AdmissionPluginFactory {
  return () => ({
    name: "OwnerReferencesPermissionEnforcement",
    validate: (attributes) => {
      const { operation, group, resource, subresource, object, oldObject } = attributes;
      if (operation !== "CREATE" && operation !== "UPDATE") return;
      // The strategy of a pod's status keeps owners as they are.
      if (group === "" && resource === "pods" && subresource === "status") return;
      const [owners, before] = [object?.metadata?.ownerReferences ?? [], oldObject?.metadata?.ownerReferences ?? []];
      if (semanticEqual(owners, before)) return;
      return check(authorizer, resourcesOf, attributes, newlyBlocking(owners, before));
    },
  });
}

async function check(
  authorizer: Authorizer,
  resourcesOf: ResourcesOfKind,
  attributes: AdmissionAttributes,
  blocking: readonly OwnerReference[],
): Promise<void> {
  const { group, version, resource, subresource, name, namespace, context } = attributes;
  const asked = (more: Partial<AuthorizationAttributes>): AuthorizationAttributes => ({
    user: context.user,
    verb: "delete",
    isResourceRequest: true,
    namespace,
    apiGroup: group,
    apiVersion: version,
    resource,
    subresource,
    name,
    path: "",
    ...more,
  });
  const must = async (what: AuthorizationAttributes, text: string): Promise<void> => {
    const { decision, reason, error } = await authorizer.authorize(what);
    if (decision !== "allow") throw admissionForbidden(attributes, `${text}: ${reason}, ${error ?? "<nil>"}`);
  };
  await must(asked({}), "cannot set an ownerRef on a resource you can't delete");
  for (const { apiVersion = "", kind = "", name: owner = "" } of blocking) {
    const found = resourcesOf(apiVersion, kind);
    if (found.length === 0) {
      const text = `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kind}`;
      throw admissionForbidden(attributes, `${text}: no matches for kind "${kind}" in version "${apiVersion}"`);
    }
    for (const target of found) {
      const where = { apiGroup: target.group, apiVersion: target.version, resource: target.resource, subresource: "finalizers" };
      const what = asked({ ...where, verb: "update", name: owner, namespace: target.namespaced ? namespace : "" });
      await must(what, "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on");
    }
  }
}

function newlyBlocking(owners: readonly OwnerReference[], before: readonly OwnerReference[]): OwnerReference[] {
  const blocked = new Set(before.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true).map(({ uid }) => uid));
  return owners.filter(({ uid, blockOwnerDeletion }) => blockOwnerDeletion === true && !blocked.has(uid));
}
