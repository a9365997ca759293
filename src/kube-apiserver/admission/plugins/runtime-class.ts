import type { Pod, Toleration } from "#api/generated/core/v1.ts";
import type { RuntimeClass } from "#api/generated/node/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import { ownValue } from "#base/own-value.ts";

const OVERHEAD_WITHOUT_CLASS = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

/** A pod takes over its runtime class's overhead and scheduling constraints. */
export const runtimeClass: AdmissionPluginFactory = ({ stores }) => {
  const find = (attributes: AdmissionAttributes, name: string | undefined): RuntimeClass | undefined => {
    if (!name) return undefined;
    const found = stores.of<RuntimeClass>("node.k8s.io", "runtimeclasses").cached("", name);
    if (found === undefined) throw admissionForbidden(attributes, `pod rejected: RuntimeClass "${name}" not found`);
    return found;
  };
  const concerns = ({ operation, group, resource, subresource }: AdmissionAttributes): boolean =>
    operation === "CREATE" && group === "" && resource === "pods" && subresource === "";
  return {
    name: "RuntimeClass",
    mutate: (attributes) => {
      if (!concerns(attributes)) return;
      const pod = attributes.object as unknown as Draft<Pod>;
      const found = find(attributes, pod.spec?.runtimeClassName);
      if (found === undefined) return;
      setOverhead(attributes, pod, found);
      setScheduling(attributes, pod, found);
    },
    validate: (attributes) => {
      if (!concerns(attributes)) return;
      const { spec } = attributes.object as unknown as Pod;
      const fixed = find(attributes, spec?.runtimeClassName)?.overhead?.podFixed;
      if (spec?.overhead === undefined || semanticEqual(spec.overhead, fixed ?? {})) return;
      if (fixed === undefined) throw admissionForbidden(attributes, OVERHEAD_WITHOUT_CLASS);
      const text = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
      throw admissionForbidden(attributes, text);
    },
  };
};

function setOverhead(attributes: AdmissionAttributes, pod: Draft<Pod>, { overhead }: RuntimeClass): void {
  const fixed = overhead?.podFixed;
  if (fixed === undefined || pod.spec === undefined) return;
  if (pod.spec.overhead !== undefined && !semanticEqual(pod.spec.overhead, fixed)) {
    throw admissionForbidden(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  pod.spec.overhead = { ...fixed };
}

function setScheduling(attributes: AdmissionAttributes, pod: Draft<Pod>, { scheduling }: RuntimeClass): void {
  const { spec } = pod;
  if (scheduling === undefined || spec === undefined) return;
  const selector = { ...scheduling.nodeSelector };
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    const known = ownValue(selector, key);
    if (known !== undefined && known !== value) {
      const text = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${known}; pod.spec.nodeSelector[${key}] = ${value}`;
      throw admissionForbidden(attributes, text);
    }
    selector[key] = value;
  }
  if (Object.keys(selector).length > 0) spec.nodeSelector = selector;
  const tolerations: Toleration[] = [...(spec.tolerations ?? [])];
  for (const toleration of scheduling.tolerations ?? []) {
    if (!tolerations.some((other) => semanticEqual(other, toleration))) tolerations.push({ ...toleration });
  }
  if (tolerations.length > 0) spec.tolerations = tolerations;
}
