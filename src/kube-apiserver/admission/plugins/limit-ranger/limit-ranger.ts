import type { LimitRange, PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import { claimViolations, podViolations } from "./constraints.ts";
import { setPodDefaults } from "./defaults.ts";

/** Gives pods the amounts that their namespace's limit ranges set, and refuses pods and claims beyond them. */
export const limitRanger: AdmissionPluginFactory = ({ stores }) => {
  const ranges = ({ namespace }: AdmissionAttributes): readonly LimitRange[] =>
    stores.of<LimitRange>("", "limitranges").listCached(namespace);
  return {
    name: "LimitRanger",
    mutate: (attributes) => {
      if (!concerns(attributes) || attributes.resource !== "pods") return;
      for (const range of ranges(attributes)) setPodDefaults(range, attributes.object as unknown as Draft<Pod>);
    },
    validate: (attributes) => {
      if (!concerns(attributes)) return;
      for (const range of ranges(attributes)) refuse(attributes, violations(range, attributes));
    },
  };
};

/** A pod's amounts are changed by its `resize` alone; what is being deleted is left in peace. */
function concerns({ operation, group, resource, subresource, oldObject }: AdmissionAttributes): boolean {
  if ((operation !== "CREATE" && operation !== "UPDATE") || group !== "") return false;
  if (oldObject?.metadata.deletionTimestamp !== undefined) return false;
  if (resource === "pods") return subresource === "resize" || (subresource === "" && operation === "CREATE");
  return resource === "persistentvolumeclaims" && subresource === "";
}

function violations(range: LimitRange, { resource, object }: AdmissionAttributes): string[] {
  if (resource === "pods") return podViolations(range, object as unknown as Pod);
  return claimViolations(range, object as unknown as PersistentVolumeClaim);
}

/** One message stands alone; several are a list without repetitions. */
function refuse(attributes: AdmissionAttributes, messages: readonly string[]): void {
  const distinct = [...new Set(messages)];
  if (distinct.length === 0) return;
  throw admissionForbidden(attributes, distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`);
}
