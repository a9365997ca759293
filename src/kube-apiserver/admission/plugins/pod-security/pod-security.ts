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
    const { policy } = this.#policyOf(this.#namespace(attributes));
    if (isFullyPrivileged(policy)) return;
    const pod = attributes.object as unknown as Pod;
    if (attributes.operation === "UPDATE" && !isSignificantUpdate(pod, attributes.oldObject as unknown as Pod)) return;
    this.#evaluate(attributes, policy, true);
  }

  /** Templates are not refused: what is made from them will be. */
  #validateTemplate(attributes: AdmissionAttributes): void {
    if (attributes.subresource !== "" || this.#isExempt(attributes)) return;
    const { policy } = this.#policyOf(this.#namespace(attributes));
    if (policy.warn.level === "privileged" && policy.audit.level === "privileged") return;
    this.#evaluate(attributes, policy, false);
  }

  #evaluate(attributes: AdmissionAttributes, policy: Policy, enforce: boolean): void {
    const { group, resource, object } = attributes;
    const pod = object === undefined ? undefined : podLikeOf(group, resource, object);
    if (pod === undefined || this.#isExemptRuntimeClass(pod.spec.runtimeClassName)) return;
    if (enforce) refuseViolations(attributes, policy, pod);
    const violations = evaluatePod(policy.warn, pod);
    if (violations.length === 0) return;
    const level = goQuote(levelVersionText(policy.warn));
    attributes.context.warnings.push(`would violate PodSecurity ${level}: ${violationDetails(violations)}`);
  }

  #namespace({ namespace }: AdmissionAttributes): Namespace | undefined {
    return this.#modules.stores.of<Namespace>("", "namespaces").cached("", namespace);
  }

  #isExempt({ namespace, context }: AdmissionAttributes): boolean {
    return this.#isExemptNamespace(namespace) || this.#configuration.exemptions.usernames.includes(context.user.name);
  }

  #isExemptNamespace(namespace: string): boolean {
    return this.#configuration.exemptions.namespaces.includes(namespace);
  }

  #isExemptRuntimeClass(name: string | undefined): boolean {
    return Boolean(name) && this.#configuration.exemptions.runtimeClasses.includes(name ?? "");
  }
}

function refuseViolations(attributes: AdmissionAttributes, { enforce }: Policy, pod: PodLike): void {
  const violations = evaluatePod(enforce, pod);
  if (violations.length === 0) return;
  const message = `violates PodSecurity ${goQuote(levelVersionText(enforce))}: ${violationDetails(violations)}`;
  const { group, resource, name } = attributes;
  throw name === "" ? admissionForbidden(attributes, message) : forbidden({ group, resource }, name, message);
}

function invalidNamespace({ group, kind, name }: AdmissionAttributes, errors: FieldError[]): Error {
  return invalid({ group, kind }, name, errors);
}
