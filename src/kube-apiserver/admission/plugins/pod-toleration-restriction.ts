import type { Namespace, Pod, Toleration } from "#api/generated/core/v1.ts";
import { forbidden, notFound } from "#apimachinery/api-errors/errors.ts";
import { plainError } from "#apimachinery/api-errors/plain-error.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { AdmissionAttributes, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { computeQosClass } from "../../registry/core/pod/qos-class.ts";

/** What holds for namespaces whose annotations say nothing. */
export interface PodTolerationRestrictionConfiguration {
  readonly default?: readonly Toleration[];
  readonly whitelist?: readonly Toleration[];
}

const DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations";
const WHITELIST = "scheduler.alpha.kubernetes.io/tolerationsWhitelist";

/** Pods get their namespace's tolerations, and have none that its list does not allow. */
export function podTolerationRestriction(configuration: PodTolerationRestrictionConfiguration = {}): AdmissionPluginFactory {
  return ({ stores }) => {
    const validate = (attributes: AdmissionAttributes): void => {
      if (!concerns(attributes)) return;
      const { metadata, spec } = attributes.object as unknown as Pod;
      const allowed = annotated(stores, attributes.namespace, WHITELIST) ?? configuration.whitelist ?? [];
      const has = spec?.tolerations ?? [];
      if (allowed.length === 0 || has.every((toleration) => allowed.some((wide) => covers(wide, toleration)))) return;
      const text = "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist";
      throw forbidden({ group: "", resource: "pods" }, metadata?.name ?? "", text);
    };
    return {
      name: "PodTolerationRestriction",
      mutate: (attributes) => {
        if (!concerns(attributes)) return;
        const pod = attributes.object as unknown as Draft<Pod>;
        const isNew = attributes.operation === "CREATE";
        const given = isNew ? (annotated(stores, attributes.namespace, DEFAULTS) ?? configuration.default ?? []) : [];
        const pressure: Toleration = { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" };
        const more = pod.spec === undefined || computeQosClass(pod.spec) === "BestEffort" ? given : [...given, pressure];
        if (more.length > 0 && pod.spec !== undefined) pod.spec.tolerations = merged(more, pod.spec.tolerations ?? []);
        validate(attributes);
      },
      validate,
    };
  };
}

function concerns({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return (operation === "CREATE" || operation === "UPDATE") && group === "" && resource === "pods" && subresource === "";
}

function annotated(stores: Stores, namespace: string, annotation: string): readonly Toleration[] | undefined {
  const found = stores.of<Namespace>("", "namespaces").cached("", namespace);
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  const text = found.metadata?.annotations?.[annotation] ?? "";
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as readonly Toleration[];
  } catch (error) {
    throw plainError((error as Error).message);
  }
}

/** Both lists, without what another one of them covers. */
function merged(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  const kept: Toleration[] = [];
  all.forEach((toleration, i) => {
    const later = all.slice(i + 1).filter((other) => !same(other, toleration));
    if (![...kept, ...later].some((wide) => covers(wide, toleration))) kept.push(toleration);
  });
  return kept;
}

function same(a: Toleration, b: Toleration): boolean {
  const text = ({ key = "", operator = "", value = "", effect = "", tolerationSeconds }: Toleration): string =>
    JSON.stringify([key, operator, value, effect, tolerationSeconds]);
  return text(a) === text(b);
}

/** Whether a toleration tolerates all that another one does. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (same(wide, narrow)) return true;
  const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = wide;
  if ((narrow.key ?? "") !== key && (key !== "" || operator !== "Exists")) return false;
  if ((narrow.effect ?? "") !== effect && effect !== "") return false;
  if (effect === "NoExecute" && tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || narrow.tolerationSeconds > tolerationSeconds) return false;
  }
  if (operator === "Exists") return true;
  return (operator === "Equal" || operator === "") && narrow.operator === "Equal" && (narrow.value ?? "") === value;
}
