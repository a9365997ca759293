import type { Namespace, Pod } from "#api/generated/core/v1.ts";
import { forbidden, notFound } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";

/** Node selectors by namespace, as texts such as `env=prod,disk=ssd`; `clusterDefaultNodeSelector` for those that name none. */
export type PodNodeSelectorConfiguration = Readonly<Record<string, string>>;

type Labels = Readonly<Record<string, string>>;

const ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector";
const RESOURCE = { group: "", resource: "pods" };

/** Pods run on the nodes that their namespace is given, and on no others that it may not use. */
export function podNodeSelector(configuration: PodNodeSelectorConfiguration = {}): AdmissionPluginFactory {
  return ({ stores }) => {
    const validate = (attributes: AdmissionAttributes): void => {
      if (!concerns(attributes)) return;
      const pod = attributes.object as unknown as Pod;
      const selector = pod.spec?.nodeSelector ?? {};
      checkConflict(pod, selectorOf(stores, attributes.namespace, configuration));
      const allowed = labelsOf(configuration[attributes.namespace] ?? "");
      if (Object.keys(allowed).length === 0) return;
      if (Object.entries(selector).some(([key, value]) => allowed[key] !== value)) {
        throw forbidden(RESOURCE, nameOf(pod), "pod node label selector labels conflict with its namespace whitelist");
      }
    };
    return {
      name: "PodNodeSelector",
      mutate: (attributes) => {
        if (!concerns(attributes)) return;
        const pod = attributes.object as unknown as Draft<Pod>;
        const given = selectorOf(stores, attributes.namespace, configuration);
        checkConflict(pod as Pod, given);
        if (pod.spec !== undefined) pod.spec.nodeSelector = { ...given, ...pod.spec.nodeSelector };
        validate(attributes);
      },
      validate,
    };
  };
}

function concerns({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return operation === "CREATE" && group === "" && resource === "pods" && subresource === "";
}

function checkConflict(pod: Pod, given: Labels): void {
  const selector = pod.spec?.nodeSelector ?? {};
  if (Object.entries(selector).every(([key, value]) => !Object.hasOwn(given, key) || given[key] === value)) return;
  throw forbidden(RESOURCE, nameOf(pod), "pod node label selector conflicts with its namespace node label selector");
}

function selectorOf(stores: Stores, namespace: string, configuration: PodNodeSelectorConfiguration): Labels {
  const found = stores.of<Namespace>("", "namespaces").cached("", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  return labelsOf(found.metadata?.annotations?.[ANNOTATION] ?? configuration.clusterDefaultNodeSelector ?? "");
}

/** Upstream's `ConvertSelectorToLabelsMap`: equalities with commas between. */
function labelsOf(text: string): Labels {
  const labels: Record<string, string> = {};
  if (text === "") return labels;
  for (const part of text.split(",")) {
    const [key = "", value, ...more] = part.split("=");
    if (value === undefined || more.length > 0) throw plainError(`invalid selector: [${text.split(",").join(" ")}]`);
    labels[key.trim()] = value.trim();
  }
  return labels;
}

function nameOf({ metadata }: Pod): string {
  return metadata?.name ?? "";
}
