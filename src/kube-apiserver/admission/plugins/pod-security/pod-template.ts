import type { PodSpec } from "#api/generated/core/v1.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { PodLike } from "./check.ts";

interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

/** Where the kinds that make pods keep the pod's template. */
const TEMPLATES: Readonly<Record<string, (object: ApiObject) => unknown>> = {
  "/pods": (object) => object,
  "/podtemplates": (object) => object.template,
  "/replicationcontrollers": ofSpec,
  "apps/replicasets": ofSpec,
  "apps/deployments": ofSpec,
  "apps/statefulsets": ofSpec,
  "apps/daemonsets": ofSpec,
  "batch/jobs": ofSpec,
  "batch/cronjobs": ({ spec }) => (spec as { jobTemplate?: { spec?: { template?: unknown } } })?.jobTemplate?.spec?.template,
};

function ofSpec({ spec }: ApiObject): unknown {
  return (spec as { template?: unknown } | undefined)?.template;
}

/** Whether objects of a resource may hold a pod's spec. */
export function hasPodSpec(group: string, resource: string): boolean {
  return Object.hasOwn(TEMPLATES, `${group}/${resource}`);
}

/** The pod, or the template of the pods that an object makes; undefined where it has none. */
export function podLikeOf(group: string, resource: string, object: ApiObject): PodLike | undefined {
  const template = TEMPLATES[`${group}/${resource}`]?.(object) as Template | undefined;
  if (template === undefined) return undefined;
  return { annotations: template.metadata?.annotations ?? {}, spec: (template.spec ?? {}) as PodSpec };
}
