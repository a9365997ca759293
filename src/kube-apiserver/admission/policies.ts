import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "#api/generated/admissionregistration/v1.ts";
import type { Namespace } from "#api/generated/core/v1.ts";
import { type KubernetesCel, loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { mutatingPolicies } from "#apiserver/admission/policy/mutating-policies.ts";
import { compileMutatingPolicy } from "#apiserver/admission/policy/mutating-policy.ts";
import type { PolicyModules } from "#apiserver/admission/policy/policy-hits.ts";
import { validatingPolicies } from "#apiserver/admission/policy/validating-policies.ts";
import { compileValidatingPolicy } from "#apiserver/admission/policy/validating-policy.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { StoreRegistry } from "#apiserver/registry/store/store-registry.ts";
import { CompiledPolicies } from "./compiled-policies.ts";
import { paramSources } from "./param-sources.ts";

const GROUP = "admissionregistration.k8s.io";

/** What the plugins of policies are made of. */
export interface PolicyPluginModules {
  /** Asked when requests come, not before. */
  readonly stores: () => StoreRegistry;
  readonly authorizer: Authorizer;
}

/** One plugin for each kind of policy. */
export interface PolicyPlugins {
  readonly mutating: AdmissionPluginFactory;
  readonly validating: AdmissionPluginFactory;
}

/** The plugins that hold requests against policies in CEL. */
export function policyPlugins(modules: PolicyPluginModules): PolicyPlugins {
  return { mutating: mutating(modules), validating: validating(modules) };
}

function mutating(modules: PolicyPluginModules): AdmissionPluginFactory {
  const policies = configured(
    modules,
    ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"],
    (policy: MutatingAdmissionPolicy, bindings: readonly MutatingAdmissionPolicyBinding[], cel) =>
      compileMutatingPolicy(policy, bindings, cel),
  );
  return () => mutatingPolicies({ ...policyModules(modules), policies });
}

function validating(modules: PolicyPluginModules): AdmissionPluginFactory {
  const policies = configured(
    modules,
    ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
    (policy: ValidatingAdmissionPolicy, bindings: readonly ValidatingAdmissionPolicyBinding[], cel) =>
      compileValidatingPolicy(policy, bindings, cel),
  );
  return () => validatingPolicies({ ...policyModules(modules), policies });
}

function policyModules({ stores, authorizer }: PolicyPluginModules): PolicyModules {
  const namespace = (name: string) => stores().of<Namespace>("", "namespaces").cached("", name);
  return {
    authorizer,
    namespaceLabels: (name) => {
      const found = namespace(name);
      return found && (found.metadata.labels ?? {});
    },
    namespaceObject: (name) => {
      const found = namespace(name);
      if (found === undefined) return undefined;
      const { managedFields: _fields, ownerReferences: _owners, ...metadata } = found.metadata;
      return { metadata, spec: found.spec ?? {}, status: found.status ?? {} };
    },
    params: paramSources(stores),
  };
}

interface Binding extends ApiObject {
  readonly spec?: { readonly policyName?: string };
}

/** Policies that have bindings, those that changed compiled when a request comes after it: new trees in the watch cache are new lists. */
function configured<P extends object, B extends object, C>(
  { stores }: PolicyPluginModules,
  [policies, bindings]: readonly [string, string],
  compile: (policy: P, bindings: readonly B[], cel: KubernetesCel) => C,
): () => Promise<readonly C[]> | undefined {
  const known = new CompiledPolicies<C>();
  let seen: readonly unknown[] = [];
  let compiled: Promise<readonly C[]> | undefined;
  return () => {
    const [policyStore, bindingStore] = [stores().generic(GROUP, policies), stores().generic(GROUP, bindings)];
    const now = [policyStore.core.cache.tree, bindingStore.core.cache.tree];
    if (now.every((tree, at) => tree === seen[at])) return compiled;
    seen = now;
    const bound = byPolicy(bindingStore.listCached("") as readonly Binding[]);
    const used = policyStore.listCached("").filter(({ metadata }) => bound.has(metadata.name ?? ""));
    if (used.length === 0) {
      compiled = undefined;
      return undefined;
    }
    compiled = loadKubernetesCel().then((cel) =>
      known.of(used, bound, (policy, own) => compile(policy as unknown as P, own as unknown as readonly B[], cel)),
    );
    return compiled;
  };
}

function byPolicy(bindings: readonly Binding[]): Map<string, Binding[]> {
  const grouped = new Map<string, Binding[]>();
  for (const binding of bindings) {
    const policy = binding.spec?.policyName ?? "";
    const own = grouped.get(policy);
    if (own === undefined) grouped.set(policy, [binding]);
    else own.push(binding);
  }
  return grouped;
}
