import type { ApiObject } from "#apimachinery/meta/api-object.ts";

type OldSpec = { runtimeHandler?: string; overhead?: object; scheduling?: object };

/** From `node.k8s.io/v1alpha1`, which has a spec. */
export function fromOldRuntimeClass({ spec, ...object }: ApiObject): ApiObject {
  const { runtimeHandler = "", ...rest } = (spec ?? {}) as OldSpec;
  return { ...object, ...rest, handler: runtimeHandler } as ApiObject;
}

/** To `node.k8s.io/v1alpha1`. */
export function toOldRuntimeClass(object: ApiObject): ApiObject {
  const { handler, overhead, scheduling, ...rest } = object as ApiObject & Record<string, unknown>;
  const spec = { runtimeHandler: handler, ...(overhead ? { overhead } : {}), ...(scheduling ? { scheduling } : {}) };
  return { ...rest, spec } as ApiObject;
}
