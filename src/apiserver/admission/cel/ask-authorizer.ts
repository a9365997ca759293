import type { AskAuthorizer, AuthorizationQuestion } from "#apimachinery/cel/library/authorizer.ts";
import type { AuthorizationAttributes, Authorizer } from "../../authorization/authorizer.ts";
import type { UserInfo } from "../../request/request-info.ts";

/**
 * The authorizer for expressions, which ask for the user of the request or for a service account. Expressions do not wait:
 * where somebody else would have to be asked, the answer is an error.
 */
export function askAuthorizer(authorizer: Authorizer, user: UserInfo): AskAuthorizer {
  return (question) => {
    const answer = authorizer.authorize(authorizationAttributes(user, question));
    if (answer instanceof Promise) return { allowed: false, reason: "", error: "the authorizer does not answer at once" };
    return { allowed: answer.decision === "allow", reason: answer.reason, error: undefined };
  };
}

/** An expression's question as the authorizer is asked it. */
export function authorizationAttributes(
  user: UserInfo,
  { serviceAccount, verb, resource, path }: AuthorizationQuestion,
): AuthorizationAttributes {
  return {
    user: serviceAccount === undefined ? user : serviceAccountUser(serviceAccount.namespace, serviceAccount.name),
    verb,
    isResourceRequest: resource !== undefined,
    namespace: resource?.namespace ?? "",
    apiGroup: resource?.group ?? "",
    apiVersion: resource === undefined ? "" : "*",
    resource: resource?.resource ?? "",
    subresource: resource?.subresource ?? "",
    name: resource?.name ?? "",
    path: path ?? "",
    ...(resource?.fieldSelector ? { fieldSelector: resource.fieldSelector } : {}),
    ...(resource?.labelSelector ? { labelSelector: resource.labelSelector } : {}),
  };
}

function serviceAccountUser(namespace: string, name: string): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid: "",
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    extra: {},
  };
}
