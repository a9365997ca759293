import { isDns1123Label, isDns1123Subdomain } from "../../validation/names.ts";
import { type Declaration, declareMethod } from "../declarations.ts";
import { BOOL, type CelType, STRING, structOf } from "../types.ts";
import { CelError, type CelValue, LibraryValue } from "../values.ts";

/** What an expression asks of the authorizer. */
export interface AuthorizationQuestion {
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined;
  readonly verb: string;
  /** Undefined for questions about a path. */
  readonly resource: ResourceQuestion | undefined;
  readonly path: string | undefined;
}

/** Which resource is asked for; empty texts for what is not given. */
export interface ResourceQuestion {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

/** The authorizer's answer. */
export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error: string | undefined;
}

/** Answers at once: expressions do not wait. Asks for the user of the request, or for a service account. */
export type AskAuthorizer = (question: AuthorizationQuestion) => AuthorizationAnswer;

/** The type of the variable `authorizer`. */
export const AUTHORIZER: CelType = structOf("kubernetes.authorization.Authorizer");
/** The type of the variable `authorizer.requestResource`. */
export const RESOURCE_CHECK: CelType = structOf("kubernetes.authorization.ResourceCheck");
const PATH_CHECK: CelType = structOf("kubernetes.authorization.PathCheck");
const GROUP_CHECK: CelType = structOf("kubernetes.authorization.GroupCheck");
const DECISION: CelType = structOf("kubernetes.authorization.Decision");

/** The library's types, which expressions may name. */
export const AUTHORIZER_TYPES: readonly CelType[] = [AUTHORIZER, RESOURCE_CHECK, PATH_CHECK, GROUP_CHECK, DECISION];

abstract class Receiver extends LibraryValue {
  equals(other: LibraryValue): boolean {
    return this === other;
  }
}

class AuthorizerValue extends Receiver {
  readonly typeName = AUTHORIZER.name;
  readonly ask: AskAuthorizer;
  readonly serviceAccount: AuthorizationQuestion["serviceAccount"];

  constructor(ask: AskAuthorizer, serviceAccount: AuthorizationQuestion["serviceAccount"]) {
    super();
    this.ask = ask;
    this.serviceAccount = serviceAccount;
  }
}

class PathCheck extends Receiver {
  readonly typeName = PATH_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly path: string;

  constructor(authorizer: AuthorizerValue, path: string) {
    super();
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends Receiver {
  readonly typeName = GROUP_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly group: string;

  constructor(authorizer: AuthorizerValue, group: string) {
    super();
    this.authorizer = authorizer;
    this.group = group;
  }
}

class ResourceCheck extends Receiver {
  readonly typeName = RESOURCE_CHECK.name;
  readonly authorizer: AuthorizerValue;
  readonly resource: ResourceQuestion;

  constructor(authorizer: AuthorizerValue, resource: ResourceQuestion) {
    super();
    this.authorizer = authorizer;
    this.resource = resource;
  }

  with(change: Partial<ResourceQuestion>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.resource, ...change });
  }
}

class Decision extends Receiver {
  readonly typeName = DECISION.name;
  readonly answer: AuthorizationAnswer;

  constructor(answer: AuthorizationAnswer) {
    super();
    this.answer = answer;
  }
}

/** The value of `authorizer`. */
export function authorizerValue(ask: AskAuthorizer): CelValue {
  return new AuthorizerValue(ask, undefined);
}

/** The value of `authorizer.requestResource`. */
export function resourceCheckValue(ask: AskAuthorizer, resource: ResourceQuestion): CelValue {
  return new ResourceCheck(new AuthorizerValue(ask, undefined), resource);
}

const NOTHING: ResourceQuestion = {
  group: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  fieldSelector: "",
  labelSelector: "",
};

/** Kubernetes' authorizer libraries. Expressions reach them where a variable `authorizer` is declared. */
export const authorizers: readonly Declaration[] = [
  declareMethod("path", "authorizer_path", [AUTHORIZER, STRING], PATH_CHECK, ([authorizer, path]) => {
    return new PathCheck(authorizer as AuthorizerValue, given("path", path));
  }),
  declareMethod("group", "authorizer_group", [AUTHORIZER, STRING], GROUP_CHECK, ([authorizer, group]) => {
    return new GroupCheck(authorizer as AuthorizerValue, group as string);
  }),
  declareMethod(
    "serviceAccount",
    "authorizer_serviceaccount",
    [AUTHORIZER, STRING, STRING],
    AUTHORIZER,
    ([authorizer, namespace, name]) => {
      if (isDns1123Subdomain(name as string).length > 0) throw new CelError("Invalid service account name");
      if (isDns1123Label(namespace as string).length > 0) throw new CelError("Invalid service account namespace");
      return new AuthorizerValue((authorizer as AuthorizerValue).ask, { namespace: namespace as string, name: name as string });
    },
  ),
  declareMethod("resource", "groupcheck_resource", [GROUP_CHECK, STRING], RESOURCE_CHECK, ([check, resource]) => {
    const { authorizer, group } = check as GroupCheck;
    return new ResourceCheck(authorizer, { ...NOTHING, group, resource: given("resource", resource) });
  }),
  narrow("subresource", "resourcecheck_subresource", "subresource"),
  narrow("namespace", "resourcecheck_namespace", "namespace"),
  narrow("name", "resourcecheck_name", "name"),
  narrow("fieldSelector", "authorizer_fieldselector", "fieldSelector"),
  narrow("labelSelector", "authorizer_labelselector", "labelSelector"),
  declareMethod("check", "pathcheck_check", [PATH_CHECK, STRING], DECISION, ([check, verb]) => {
    const { authorizer, path } = check as PathCheck;
    return decide(authorizer, { verb: verb as string, path, resource: undefined });
  }),
  declareMethod("check", "resourcecheck_check", [RESOURCE_CHECK, STRING], DECISION, ([check, verb]) => {
    const { authorizer, resource } = check as ResourceCheck;
    return decide(authorizer, { verb: verb as string, path: undefined, resource });
  }),
  declareMethod(
    "errored",
    "decision_errored",
    [DECISION],
    BOOL,
    ([decision]) => (decision as Decision).answer.error !== undefined,
  ),
  declareMethod("error", "decision_error", [DECISION], STRING, ([decision]) => (decision as Decision).answer.error ?? ""),
  declareMethod("allowed", "decision_allowed", [DECISION], BOOL, ([decision]) => (decision as Decision).answer.allowed),
  declareMethod("reason", "decision_reason", [DECISION], STRING, ([decision]) => (decision as Decision).answer.reason),
];

function given(what: string, value: CelValue | undefined): string {
  const text = value as string;
  if (text.trim() === "") throw new CelError(`${what} must not be empty`);
  return text;
}

function narrow(name: string, id: string, field: keyof ResourceQuestion): Declaration {
  return declareMethod(name, id, [RESOURCE_CHECK, STRING], RESOURCE_CHECK, ([check, value]) => {
    return (check as ResourceCheck).with({ [field]: value as string });
  });
}

function decide({ ask, serviceAccount }: AuthorizerValue, question: Omit<AuthorizationQuestion, "serviceAccount">): Decision {
  return new Decision(ask({ serviceAccount, ...question }));
}
