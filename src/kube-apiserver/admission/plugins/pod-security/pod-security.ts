import type { Namespace, Pod } from "#api/generated/core/v1.ts";
import { forbidden, invalid } from "#apimachinery/api-errors/errors.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import {
  type AdmissionAttributes,
  type AdmissionModules,
  type AdmissionPlugin,
  type AdmissionPluginFactory,
  admissionForbidden,
} from "#apiserver/admission/admission.ts";
import type { PodLike } from "./check.ts";
import { DEFAULT_POD_SECURITY_CONFIGURATION, type PodSecurityConfiguration } from "./configuration.ts";
import { evaluatePod, violationDetails } from "./evaluator.ts";
import { existingPodWarnings } from "./existing-pods.ts";
import { hasPodSpec, podLikeOf } from "./pod-template.ts";
import {
  equivalentPolicies,
  isFullyPrivileged,
  isStricter,
  type LevelVersion,
  levelVersionText,
  type Policy,
  policyOf,
  sameLevelVersion,
  statedPolicyText,
} from "./policy.ts";
import { isSignificantUpdate } from "./significant-update.ts";

/** What of a pod has no part in how it is judged. Anything unknown has. */
const IGNORED_SUBRESOURCES: ReadonlySet<string> = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);

/** Holds pods to the Pod Security Standards as their namespace's labels ask (KEP-2579), by upstream's default configuration. */
export const podSecurity: AdmissionPluginFactory = podSecurityWith(DEFAULT_POD_SECURITY_CONFIGURATION);

/** {@link podSecurity} by another configuration. */
export function podSecurityWith(configuration: PodSecurityConfiguration): AdmissionPluginFactory {
  return (modules) => new PodSecurity(modules, configuration);
}

class PodSecurity implements AdmissionPlugin {
  readonly name = "PodSecurity";
  readonly #modules: AdmissionModules;
  readonly #configuration: PodSecurityConfiguration;

  constructor(modules: AdmissionModules, configuration: PodSecurityConfiguration) {
    this.#modules = modules;
    this.#configuration = configuration;
  }

  validate(attributes: AdmissionAttributes): void {
    const { operation, group, resource } = attributes;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    if (group === "" && resource === "namespaces") this.#validateNamespace(attributes);
    else if (group === "" && resource === "pods") this.#validatePod(attributes);
    else if (hasPodSpec(group, resource)) this.#validateTemplate(attributes);
  }

  #policyOf(namespace: Namespace | undefined): { readonly policy: Policy; readonly errors: FieldError[] } {
    return policyOf(namespace?.metadata?.labels, this.#configuration.defaults);
  }

  #validateNamespace(attributes: AdmissionAttributes): void {
    if (attributes.subresource !== "") return;
    const namespace = attributes.object as unknown as Namespace;
    const { policy, errors } = this.#policyOf(namespace);
    if (attributes.operation === "CREATE") {
      if (errors.length > 0) throw invalidNamespace(attributes, errors);
      this.#warnOfExemption(attributes, namespace, policy);
      return;
    }
    const old = this.#policyOf(attributes.oldObject as unknown as Namespace);
    if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(old.errors)) throw invalidNamespace(attributes, errors);
    const { enforce } = policy;
    if (enforce.level === "privileged" || sameLevelVersion(enforce, old.policy.enforce)) return;
    if (enforce.version === old.policy.enforce.version && !isStricter(enforce.level, old.policy.enforce.level)) return;
    if (this.#isExemptNamespace(attributes.namespace)) this.#warnOfExemption(attributes, namespace, policy);
    else attributes.context.warnings.push(...this.#existingPodWarnings(namespace, policy));
  }

  #warnOfExemption({ namespace, context }: AdmissionAttributes, object: Namespace, policy: Policy): void {
    if (!this.#isExemptNamespace(namespace)) return;
    if (isFullyPrivileged(policy) || equivalentPolicies(policy, this.#configuration.defaults)) return;
    const stated = statedPolicyText(object.metadata?.labels, policy);
    context.warnings.push(
      `namespace ${goQuote(object.metadata?.name ?? "")} is exempt from Pod Security, and the policy (${stated}) will be ignored`,
    );
  }

  #existingPodWarnings({ metadata }: Namespace, { enforce }: Policy): string[] {
    const { stores, clock } = this.#modules;
    const name = metadata?.name ?? "";
    const pods = stores.of<Pod>("", "pods").listCached(name);
    return existingPodWarnings(name, pods, enforce, ({ spec }) => this.#isExemptRuntimeClass(spec?.runtimeClassName), clock);
  }

  #validatePod(attributes: AdmissionAttributes): void {
    if (IGNORED_SUBRESOURCES.has(attributes.subresource) || this.#isExempt(attributes)) return;
    const { policy, errors } = this.#policyOf(this.#namespace(attributes));
    if (errors.length === 0 && isFullyPrivileged(policy)) {
      annotate(attributes, "enforce-policy", "privileged:latest");
      return;
    }
    const pod = attributes.object as unknown as Pod;
    if (attributes.operation === "UPDATE" && !isSignificantUpdate(pod, attributes.oldObject as unknown as Pod)) return;
    this.#evaluate(attributes, policy, errors, true);
  }

  /** Templates are not refused: what is made from them will be. */
  #validateTemplate(attributes: AdmissionAttributes): void {
    if (attributes.subresource !== "" || this.#isExempt(attributes)) return;
    const { policy, errors } = this.#policyOf(this.#namespace(attributes));
    if (errors.length === 0 && policy.warn.level === "privileged" && policy.audit.level === "privileged") return;
    this.#evaluate(attributes, policy, errors, false);
  }

  #evaluate(attributes: AdmissionAttributes, policy: Policy, errors: readonly FieldError[], enforce: boolean): void {
    const { group, resource, object } = attributes;
    const pod = object === undefined ? undefined : podLikeOf(group, resource, object);
    if (pod === undefined) return;
    if (this.#isExemptRuntimeClass(pod.spec.runtimeClassName)) {
      annotate(attributes, "exempt", "runtimeClass");
      return;
    }
    if (errors.length > 0) annotate(attributes, "error", `Failed to parse policy: ${errorsText(errors)}`);
    if (enforce) annotate(attributes, "enforce-policy", levelVersionText(policy.enforce));
    const recorded = violationText(policy.audit, pod);
    if (recorded !== undefined) annotate(attributes, "audit-violations", `would violate ${recorded}`);
    const broken = enforce ? violationText(policy.enforce, pod) : undefined;
    // Who is refused needs no warning.
    if (broken !== undefined) throw refusal(attributes, `violates ${broken}`);
    const warned = violationText(policy.warn, pod);
    if (warned !== undefined) attributes.context.warnings.push(`would violate ${warned}`);
  }

  #namespace({ namespace }: AdmissionAttributes): Namespace | undefined {
    return this.#modules.stores.of<Namespace>("", "namespaces").cached("", namespace);
  }

  #isExempt(attributes: AdmissionAttributes): boolean {
    const reason = this.#isExemptNamespace(attributes.namespace)
      ? "namespace"
      : this.#configuration.exemptions.usernames.includes(attributes.context.user.name) && "user";
    if (reason) annotate(attributes, "exempt", reason);
    return Boolean(reason);
  }

  #isExemptNamespace(namespace: string): boolean {
    return this.#configuration.exemptions.namespaces.includes(namespace);
  }

  #isExemptRuntimeClass(name: string | undefined): boolean {
    return Boolean(name) && this.#configuration.exemptions.runtimeClasses.includes(name ?? "");
  }
}

function violationText(asked: LevelVersion, pod: PodLike): string | undefined {
  const violations = evaluatePod(asked, pod);
  return violations.length === 0 ? undefined : `PodSecurity ${goQuote(levelVersionText(asked))}: ${violationDetails(violations)}`;
}

function refusal(attributes: AdmissionAttributes, message: string): Error {
  const { group, resource, name } = attributes;
  return name === "" ? admissionForbidden(attributes, message) : forbidden({ group, resource }, name, message);
}

/** Into the record of the request, where there is one. */
function annotate({ context }: AdmissionAttributes, key: string, value: string): void {
  context.annotate?.(`pod-security.kubernetes.io/${key}`, value);
}

function errorsText(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  return texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
}

function invalidNamespace({ group, kind, name }: AdmissionAttributes, errors: FieldError[]): Error {
  return invalid({ group, kind }, name, errors);
}
