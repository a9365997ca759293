import type { KubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import { DYN, listOf, mapOf, STRING, structOf } from "#apimachinery/cel/types.ts";
import { duplicate, type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";
import { type ConfiguredExpression, type ConfiguredVariable, compileConfigured } from "../../cel/configured-expression.ts";
import type { ExpressionRule, JwtConfiguration, PrefixedClaim } from "./jwt-configuration.ts";

/** The part of a provider's configuration that says what its claims mean, as it is written. */
export interface ClaimsText {
  readonly claimValidationRules?: readonly {
    readonly claim?: string;
    readonly requiredValue?: string;
    readonly expression?: string;
    readonly message?: string;
  }[];
  readonly claimMappings?: {
    readonly username?: MappingText;
    readonly groups?: MappingText;
    readonly uid?: { readonly claim?: string; readonly expression?: string };
    readonly extra?: readonly { readonly key?: string; readonly valueExpression?: string }[];
  };
  readonly userValidationRules?: readonly { readonly expression?: string; readonly message?: string }[];
}

interface MappingText {
  readonly claim?: string;
  readonly prefix?: string | null;
  readonly expression?: string;
}

/** What was read, and what is wrong with it. */
export interface ReadClaims {
  readonly errors: readonly FieldError[];
  readonly rules: JwtConfiguration["claimValidationRules"];
  /** Undefined when there are errors. */
  readonly mappings: JwtConfiguration["claimMappings"] | undefined;
  readonly userRules: readonly ExpressionRule[];
}

const CLAIMS: ConfiguredVariable = { name: "claims", type: mapOf(STRING, DYN) };
const USER: ConfiguredVariable = {
  name: "user",
  type: structOf("kubernetes.UserInfo"),
  structs: new Map([
    [
      "kubernetes.UserInfo",
      new Map([
        ["username", STRING],
        ["uid", STRING],
        ["groups", listOf(STRING)],
        ["extra", mapOf(STRING, listOf(STRING))],
      ]),
    ],
  ]),
};
const BOTH = "claim and expression can't both be set";
/** Keys of extra that are Kubernetes' own. */
const RESERVED = /(^|\.)(k8s\.io|kubernetes\.io)$/;
const DOMAIN_PATH = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** Reads what the claims of a provider mean. Every problem is told. */
export function readClaims(text: ClaimsText, at: FieldPath, cel: KubernetesCel): ReadClaims {
  const reader = new ClaimsReader(cel);
  const mappings = at.child("claimMappings");
  const { username, groups, uid, extra = [] } = text.claimMappings ?? {};
  const name = reader.mapping(username ?? {}, mappings.child("username"), true);
  const groupList = reader.mapping(groups ?? {}, mappings.child("groups"), false);
  const id = reader.uid(uid ?? {}, mappings.child("uid"));
  const extras = reader.extra(extra, mappings.child("extra"));
  const rules = reader.rules(text.claimValidationRules ?? [], at.child("claimValidationRules"));
  const userRules = reader.userRules(text.userValidationRules ?? [], at.child("userValidationRules"));
  if (name !== undefined && "source" in name && name.reads("email")) {
    const readers = [
      name,
      ...extras.map(({ value }) => value),
      ...rules.flatMap((r) => ("expression" in r ? [r.expression] : [])),
    ];
    if (!readers.some((expression) => expression.reads("email_verified"))) {
      const path = mappings.child("username").child("expression");
      const where = `claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression`;
      const detail = `claims.email_verified must be used in ${where} when claims.email is used in claimMappings.username.expression`;
      reader.errors.push(invalid(path, name.source, detail));
    }
  }
  return {
    errors: reader.errors,
    rules,
    userRules,
    mappings:
      name === undefined
        ? undefined
        : {
            username: name,
            ...(groupList === undefined ? {} : { groups: groupList }),
            ...(id === undefined ? {} : { uid: id }),
            ...(extras.length === 0 ? {} : { extra: extras }),
          },
  };
}

class ClaimsReader {
  readonly errors: FieldError[] = [];
  readonly #cel: KubernetesCel;

  constructor(cel: KubernetesCel) {
    this.#cel = cel;
  }

  mapping(text: MappingText, at: FieldPath, isRequired: boolean): PrefixedClaim | ConfiguredExpression | undefined {
    const { claim = "", prefix, expression = "" } = text;
    if (expression !== "" && claim !== "") return this.#wrong(invalid(at, "", BOTH));
    if (expression !== "") {
      if (typeof prefix === "string") {
        this.errors.push(invalid(at.child("prefix"), prefix, "may not be specified when expression is set"));
      }
      return this.#compile(CLAIMS, expression, at.child("expression"), false);
    }
    if (claim === "") return isRequired ? this.#wrong(required(at, "claim or expression is required")) : undefined;
    if (typeof prefix === "string") return { claim, prefix };
    const detail = "prefix is required when claim is set. It can be set to an empty string to disable prefixing";
    return this.#wrong(required(at.child("prefix"), detail));
  }

  uid(
    { claim = "", expression = "" }: MappingText,
    at: FieldPath,
  ): { readonly claim: string } | ConfiguredExpression | undefined {
    if (claim !== "" && expression !== "") return this.#wrong(invalid(at, "", BOTH));
    if (expression !== "") return this.#compile(CLAIMS, expression, at.child("expression"), false);
    return claim === "" ? undefined : { claim };
  }

  extra(
    list: readonly { readonly key?: string; readonly valueExpression?: string }[],
    at: FieldPath,
  ): { readonly key: string; readonly value: ConfiguredExpression }[] {
    return list.flatMap(({ key = "", valueExpression = "" }, i) => {
      const path = at.index(i);
      const wrong = (detail: string): void => void this.errors.push(invalid(path.child("key"), key, detail));
      if (!DOMAIN_PATH.test(key.toLowerCase())) wrong('must be a domain-prefixed path (such as "acme.io/foo")');
      if (key !== key.toLowerCase()) wrong("must be lowercase");
      if (RESERVED.test(key.split("/")[0] ?? "")) {
        wrong("k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use");
      }
      if (list.findIndex((other) => other.key === key) < i) this.errors.push(duplicate(path.child("key"), key));
      const value = this.#required(CLAIMS, valueExpression, path.child("valueExpression"), false);
      return value === undefined ? [] : [{ key, value }];
    });
  }

  rules(list: ClaimsText["claimValidationRules"] & object, at: FieldPath): JwtConfiguration["claimValidationRules"] {
    return list.flatMap<JwtConfiguration["claimValidationRules"][number]>((rule, i) => {
      const { claim = "", requiredValue = "", expression = "", message = "" } = rule;
      const path = at.index(i);
      if (claim !== "" && expression !== "") return this.#wrong(invalid(path, claim, BOTH)) ?? [];
      if (claim === "" && expression === "") return this.#wrong(required(path, "claim or expression is required")) ?? [];
      const isRepeated = list
        .slice(0, i)
        .some((other) => (claim === "" ? other.expression === expression : other.claim === claim));
      if (isRepeated) return this.#wrong(duplicate(path.child(claim === "" ? "expression" : "claim"), claim || expression)) ?? [];
      if (claim !== "") {
        if (message !== "") this.errors.push(invalid(path.child("message"), message, "may not be specified when claim is set"));
        return [{ claim, requiredValue }];
      }
      if (requiredValue !== "") {
        const detail = "may not be specified when expression is set";
        this.errors.push(invalid(path.child("requiredValue"), requiredValue, detail));
      }
      const compiled = this.#compile(CLAIMS, expression, path.child("expression"), true);
      return compiled === undefined ? [] : [{ expression: compiled, message }];
    });
  }

  userRules(list: readonly { readonly expression?: string; readonly message?: string }[], at: FieldPath): ExpressionRule[] {
    return list.flatMap(({ expression = "", message = "" }, i) => {
      const path = at.index(i).child("expression");
      const isRepeated = expression !== "" && list.slice(0, i).some((other) => other.expression === expression);
      if (isRepeated) return this.#wrong(duplicate(path, expression)) ?? [];
      const compiled = this.#required(USER, expression, path, true);
      return compiled === undefined ? [] : [{ expression: compiled, message }];
    });
  }

  #required(variable: ConfiguredVariable, source: string, at: FieldPath, isCondition: boolean): ConfiguredExpression | undefined {
    return source === "" ? this.#wrong(required(at, "")) : this.#compile(variable, source, at, isCondition);
  }

  #compile(variable: ConfiguredVariable, source: string, at: FieldPath, isCondition: boolean): ConfiguredExpression | undefined {
    const compiled = compileConfigured(this.#cel, variable, source, isCondition);
    return "error" in compiled ? this.#wrong(invalid(at, source, compiled.error)) : compiled;
  }

  #wrong(error: FieldError): undefined {
    this.errors.push(error);
    return undefined;
  }
}
