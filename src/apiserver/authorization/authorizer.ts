import { forbidden } from "#apimachinery/api-errors/errors.ts";
import type { StatusError } from "#apimachinery/api-errors/status.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";

/** What is asked for, as upstream's `authorizer.Attributes`. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResourceRequest: boolean;
  readonly namespace: string;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Of a request for no resource. */
  readonly path: string;
  /** The query's `fieldSelector`, as it was sent. */
  readonly fieldSelector?: string;
}

/** `no-opinion` from the last authorizer refuses. */
export interface Decision {
  readonly decision: "allow" | "deny" | "no-opinion";
  readonly reason: string;
}

/** Says whether a request may go on. Answers from memory: no I/O. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision;
}

/** Asks one after the other until one allows or denies; reasons of the others are told when none does. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      let reason = "";
      for (const authorizer of authorizers) {
        const answer = authorizer.authorize(attributes);
        if (answer.decision !== "no-opinion") return answer;
        if (answer.reason !== "") reason = reason === "" ? answer.reason : `${reason}\n${answer.reason}`;
      }
      return { decision: "no-opinion", reason };
    },
  };
}

const ALLOWED: Decision = { decision: "allow", reason: "" };
const NO_OPINION: Decision = { decision: "no-opinion", reason: "" };

/** Members of the group may do everything. */
export function privilegedGroupAuthorizer(group: string): Authorizer {
  return { authorize: ({ user }) => (user.groups.includes(group) ? ALLOWED : NO_OPINION) };
}

/** What a request asks for. */
export function attributesOf(user: UserInfo, info: RequestInfo, fieldSelector?: string): AuthorizationAttributes {
  const attributes = {
    user,
    verb: info.verb,
    isResourceRequest: info.isResourceRequest,
    namespace: info.namespace,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
  };
  return fieldSelector === undefined ? attributes : { ...attributes, fieldSelector };
}

/** 403 with upstream's `forbiddenMessage`. */
export function forbiddenError(attributes: AuthorizationAttributes, reason: string): StatusError {
  const message = forbiddenMessage(attributes);
  return forbidden(
    { group: attributes.apiGroup, resource: attributes.resource },
    attributes.name,
    reason === "" ? message : `${message}: ${reason}`,
  );
}

function forbiddenMessage(attributes: AuthorizationAttributes): string {
  const { user, verb, namespace, apiGroup, resource, subresource, path } = attributes;
  if (!attributes.isResourceRequest) return `User ${goQuote(user.name)} cannot ${verb} path ${goQuote(path)}`;
  const what = goQuote(subresource === "" ? resource : `${resource}/${subresource}`);
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${goQuote(namespace)}`;
  return `User ${goQuote(user.name)} cannot ${verb} resource ${what} in API group ${goQuote(apiGroup)} ${where}`;
}
