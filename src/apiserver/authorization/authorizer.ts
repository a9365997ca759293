import { aggregateMessages, forbidden } from "#apimachinery/api-errors/errors.ts";
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
  /** The query's `labelSelector`, as it was sent. */
  readonly labelSelector?: string;
}

/** `no-opinion` from the last authorizer refuses. */
export interface Decision {
  readonly decision: "allow" | "deny" | "no-opinion";
  readonly reason: string;
  /** What kept somebody from being asked; a request that is not allowed all the same then fails. */
  readonly error?: string;
}

/** Says whether a request may go on: at once from memory, or later where somebody else has to be asked. Never rejects. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision>;
}

/** Asks one after the other until one allows or denies; reasons of the others are told when none does. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  const from = (start: number, told: Decision, attributes: AuthorizationAttributes): Decision | Promise<Decision> => {
    let before = told;
    for (let i = start; i < authorizers.length; i++) {
      const answer = authorizers[i]?.authorize(attributes) ?? NO_OPINION;
      if (answer instanceof Promise) {
        const known = before;
        return answer.then((decided) =>
          decided.decision === "no-opinion" ? from(i + 1, both(known, decided), attributes) : decided,
        );
      }
      if (answer.decision !== "no-opinion") return answer;
      before = both(before, answer);
    }
    return before;
  };
  return { authorize: (attributes) => from(0, NO_OPINION, attributes) };
}

function both(before: Decision, answer: Decision): Decision {
  if (before === NO_OPINION) return answer;
  const errors = [before.error, answer.error].filter((error) => error !== undefined);
  const reason = joined(before.reason, answer.reason);
  return { decision: "no-opinion", reason, ...(errors.length === 0 ? {} : { error: aggregateMessages(errors) }) };
}

function joined(told: string, reason: string): string {
  if (reason === "") return told;
  return told === "" ? reason : `${told}\n${reason}`;
}

const ALLOWED: Decision = { decision: "allow", reason: "" };
const NO_OPINION: Decision = { decision: "no-opinion", reason: "" };

/** Everything is allowed: `--authorization-mode=AlwaysAllow`. */
export const alwaysAllow: Authorizer = { authorize: () => ALLOWED };

/** Nothing is, but to members of `system:masters`: `--authorization-mode=AlwaysDeny`. */
export const alwaysDeny: Authorizer = {
  authorize: () => ({ decision: "no-opinion", reason: "Everything is forbidden." }),
};

/** Members of the group may do everything. */
export function privilegedGroupAuthorizer(group: string): Authorizer {
  return { authorize: ({ user }) => (user.groups.includes(group) ? ALLOWED : NO_OPINION) };
}

/** What a request asks for. */
export function attributesOf(
  user: UserInfo,
  info: RequestInfo,
  fieldSelector?: string,
  labelSelector?: string,
): AuthorizationAttributes {
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
  if (fieldSelector === undefined && labelSelector === undefined) return attributes;
  return {
    ...attributes,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

/** Why somebody may not do something; undefined when they may. A promise only where somebody has to be asked. */
export function refusalOf(
  authorizer: Authorizer,
  attributes: AuthorizationAttributes,
): StatusError | undefined | Promise<StatusError | undefined> {
  const answer = authorizer.authorize(attributes);
  if (answer instanceof Promise) return answer.then((decided) => refusal(attributes, decided));
  return refusal(attributes, answer);
}

function refusal(attributes: AuthorizationAttributes, { decision, reason }: Decision): StatusError | undefined {
  return decision === "allow" ? undefined : forbiddenError(attributes, reason);
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
