import { ConfigurationError } from "../configuration-file.ts";
import type { UserInfo } from "../request/request-info.ts";
import type { AuthorizationAttributes, Authorizer, Decision } from "./authorizer.ts";
import type { PolicyRule } from "./policy-rule.ts";

/** One line of a policy file (`abac.authorization.kubernetes.io/v1beta1` Policy's spec). Empty where nothing is said. */
interface AbacPolicy {
  readonly user: string;
  readonly group: string;
  readonly readonly: boolean;
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly nonResourcePath: string;
}

const GROUP_VERSIONS = ["v1beta1", "v0"].map((version) => `abac.authorization.kubernetes.io/${version}`);
const ALL_AUTHENTICATED = "system:authenticated";
const READING: readonly string[] = ["get", "list", "watch"];
const TEXTS = ["user", "group", "apiGroup", "resource", "namespace", "nonResourcePath"] as const;

const ALLOWED: Decision = { decision: "allow", reason: "" };
const NO_OPINION: Decision = { decision: "no-opinion", reason: "No policy matched." };

/** `--authorization-mode=ABAC`: who may do what, by a file of one policy a line. */
export class AbacAuthorizer implements Authorizer {
  readonly #policies: readonly AbacPolicy[];

  /** Throws a {@link ConfigurationError} with the line that cannot be understood. Lines of old need no `kind`. */
  constructor(text: string, path: string) {
    this.#policies = text.split("\n").flatMap((line, i) => {
      const trimmed = line.trim();
      if (trimmed === "" || trimmed.startsWith("#")) return [];
      const policy = policyOf(trimmed);
      if (typeof policy !== "string") return [policy];
      throw new ConfigurationError(`error reading policy file ${path}, line ${i + 1}: ${trimmed}: ${policy}`);
    });
  }

  authorize(asked: AuthorizationAttributes): Decision {
    const isReading = READING.includes(asked.verb);
    const allows = (policy: AbacPolicy): boolean =>
      (isReading || !policy.readonly) &&
      isFor(policy, asked.user) &&
      (asked.isResourceRequest ? matchesResource(policy, asked) : matchesPath(policy.nonResourcePath, asked.path));
    return this.#policies.some(allows) ? ALLOWED : NO_OPINION;
  }

  /** What a user may do in a namespace, as rules. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    return this.#policies.flatMap((policy) => {
      if (!isFor(policy, user) || !isAnyOr(policy.namespace, namespace)) return [];
      const verbs = policy.readonly ? READING : ["*"];
      return [
        ...(policy.resource === "" ? [] : [{ verbs, apiGroups: [policy.apiGroup], resources: [policy.resource] }]),
        ...(policy.nonResourcePath === "" ? [] : [{ verbs, nonResourceURLs: [policy.nonResourcePath] }]),
      ];
    });
  }
}

function isFor({ user, group }: AbacPolicy, { name, groups }: UserInfo): boolean {
  if (user === "" && group === "") return false;
  return (user === "" || isAnyOr(user, name)) && (group === "" || group === "*" || groups.includes(group));
}

function isAnyOr(wanted: string, value: string): boolean {
  return wanted === "*" || wanted === value;
}

function matchesResource(policy: AbacPolicy, { namespace, resource, apiGroup }: AuthorizationAttributes): boolean {
  return isAnyOr(policy.namespace, namespace) && isAnyOr(policy.resource, resource) && isAnyOr(policy.apiGroup, apiGroup);
}

function matchesPath(wanted: string, path: string): boolean {
  return isAnyOr(wanted, path) || (wanted.endsWith("*") && path.startsWith(wanted.replace(/\*+$/, "")));
}

/** The policy of a line, or why it is none. */
function policyOf(line: string): AbacPolicy | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return (error as Error).message;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "a policy is an object";
  const { apiVersion = "", kind = "", spec } = value as { apiVersion?: unknown; kind?: unknown; spec?: unknown };
  if (apiVersion === "" && kind === "") return ofOld(value);
  if (kind !== "Policy" || !GROUP_VERSIONS.includes(String(apiVersion)))
    return `no kind "${kind}" is registered for "${apiVersion}"`;
  if (apiVersion === GROUP_VERSIONS[1]) return ofOld(value);
  const read = specOf(spec ?? {});
  if (typeof read === "string") return read;
  return read.user === "*" || read.group === "*" ? { ...read, user: "", group: ALL_AUTHENTICATED } : read;
}

/** A policy of the time before versions: what it does not name is anything (upstream's conversion from v0). */
function ofOld(value: object): AbacPolicy | string {
  const read = specOf(value);
  if (typeof read === "string") return read;
  const { user, group, namespace, resource } = read;
  const isAnybody = (user === "" && group === "") || user === "*" || group === "*";
  return {
    ...read,
    ...(isAnybody && { user: "", group: ALL_AUTHENTICATED }),
    namespace: namespace || "*",
    resource: resource || "*",
    apiGroup: "*",
    nonResourcePath: namespace === "" && resource === "" ? "*" : "",
  };
}

function specOf(spec: unknown): AbacPolicy | string {
  if (typeof spec !== "object" || spec === null) return "spec is an object";
  const given = spec as Readonly<Record<string, unknown>>;
  const wrong = TEXTS.find((name) => given[name] !== undefined && typeof given[name] !== "string");
  if (wrong !== undefined) return `${wrong} is a text`;
  const { readonly: isReadonly = false } = given;
  if (typeof isReadonly !== "boolean") return "readonly is true or false";
  const texts = Object.fromEntries(TEXTS.map((name) => [name, given[name] ?? ""])) as Record<(typeof TEXTS)[number], string>;
  return { ...texts, readonly: isReadonly };
}
