import type { Pod } from "#api/generated/core/v1.ts";
import type { PriorityClass } from "#api/generated/scheduling/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { type AdmissionAttributes, type AdmissionPluginFactory, admissionForbidden } from "#apiserver/admission/admission.ts";
import type { Store } from "#apiserver/registry/resource.ts";

const GROUP = "scheduling.k8s.io";
const DEFAULT_POLICY = "PreemptLowerPriority";

interface Resolved {
  readonly name: string | undefined;
  readonly value: number;
  readonly policy: string;
}

/** Resolves a pod's priority class to its number, and keeps a single default class. */
export const priority: AdmissionPluginFactory = ({ stores }) => ({
  name: "Priority",
  mutate: (attributes) => {
    const { group, resource, subresource, operation } = attributes;
    if (group !== "" || resource !== "pods" || subresource !== "") return;
    if (operation === "CREATE") resolve(attributes, stores.of<PriorityClass>(GROUP, "priorityclasses"));
    else if (operation === "UPDATE") keep(attributes);
  },
  validate: (attributes) => {
    const { group, resource, operation } = attributes;
    if (group !== GROUP || resource !== "priorityclasses") return;
    if (operation !== "CREATE" && operation !== "UPDATE") return;
    checkSingleDefault(attributes, stores.of<PriorityClass>(GROUP, "priorityclasses"));
  },
});

function resolve(attributes: AdmissionAttributes, classes: Store<PriorityClass>): void {
  const { spec } = attributes.object as unknown as Draft<Pod>;
  if (spec === undefined) return;
  const { name, value, policy } = classOf(attributes, spec.priorityClassName, classes);
  const computed = (field: string, given: unknown, found: unknown): Error =>
    admissionForbidden(
      attributes,
      `the ${field} (${given}) must not be provided in pod spec; priority admission controller computed ${found} from the given PriorityClass name`,
    );
  if (spec.priority !== undefined && spec.priority !== null && spec.priority !== value) {
    throw computed("integer value of priority", spec.priority, value);
  }
  if (spec.preemptionPolicy && spec.preemptionPolicy !== policy) {
    throw computed("string value of PreemptionPolicy", spec.preemptionPolicy, policy);
  }
  if (name !== undefined) spec.priorityClassName = name;
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

function classOf(attributes: AdmissionAttributes, wanted: string | undefined, classes: Store<PriorityClass>): Resolved {
  if (wanted) {
    const found = classes.cached("", wanted);
    if (found === undefined) throw admissionForbidden(attributes, `no PriorityClass with name ${wanted} was found`);
    return { name: undefined, value: found.value ?? 0, policy: found.preemptionPolicy ?? DEFAULT_POLICY };
  }
  let best: PriorityClass | undefined;
  for (const item of classes.listCached("")) {
    // Two defaults can only come about by a race; the lower one counts.
    if (item.globalDefault && (best === undefined || (item.value ?? 0) < (best.value ?? 0))) best = item;
  }
  if (best === undefined) return { name: undefined, value: 0, policy: DEFAULT_POLICY };
  return { name: best.metadata?.name, value: best.value ?? 0, policy: best.preemptionPolicy ?? DEFAULT_POLICY };
}

/** What was resolved once stays when an update leaves it out. */
function keep(attributes: AdmissionAttributes): void {
  const { spec } = attributes.object as unknown as Draft<Pod>;
  const old = (attributes.oldObject as unknown as Pod | undefined)?.spec;
  if (spec === undefined || old === undefined) return;
  if ((spec.priority === undefined || spec.priority === null) && old.priority !== undefined) spec.priority = old.priority;
  if (!spec.preemptionPolicy && old.preemptionPolicy !== undefined) spec.preemptionPolicy = old.preemptionPolicy;
}

function checkSingleDefault(attributes: AdmissionAttributes, classes: Store<PriorityClass>): void {
  const item = attributes.object as unknown as PriorityClass;
  if (!item.globalDefault) return;
  const other = classes.listCached("").find((known) => known.globalDefault && known.metadata?.name !== item.metadata?.name);
  if (other === undefined) return;
  throw admissionForbidden(
    attributes,
    `PriorityClass ${other.metadata?.name} is already marked as default. Only one default can exist`,
  );
}
