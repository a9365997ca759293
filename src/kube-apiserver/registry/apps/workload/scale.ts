import type { ApiObject, Draft, ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { UpdateSubresource } from "#apiserver/registry/resource.ts";
import { nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";

/** What `scale` reads and writes. */
interface Scalable {
  readonly metadata?: object;
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number };
}

/** The view `autoscaling/v1 Scale` of a workload; `selector` is the text of its pods' selector. */
export function scaleSubresource<T extends Scalable>(selector: (object: T) => string): UpdateSubresource<T> {
  return {
    type: "view",
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    read: (object) => {
      const meta: ObjectMeta = { ...object.metadata };
      const replicas = object.spec?.replicas ?? 0;
      const text = selector(object);
      return {
        kind: "Scale",
        apiVersion: "autoscaling/v1",
        metadata: pick(meta, ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"]),
        spec: replicas === 0 ? {} : { replicas },
        status: { replicas: object.status?.replicas ?? 0, ...(text !== "" && { selector: text }) },
      };
    },
    write: (view, object) => {
      const draft = object as Draft<Scalable>;
      draft.spec = { ...draft.spec, replicas: replicasOf(view) };
    },
    fields: [{ object: ["spec", "replicas"], view: ["spec", "replicas"] }],
    validate: (view) => nonNegativeErrors(replicasOf(view), FieldPath.of("spec", "replicas")),
  };
}

function replicasOf(view: ApiObject): number {
  const spec: unknown = Reflect.get(view, "spec");
  const replicas: unknown = typeof spec === "object" && spec !== null ? Reflect.get(spec, "replicas") : undefined;
  return typeof replicas === "number" ? replicas : 0;
}

function pick<T extends object, K extends keyof T>(from: T, fields: readonly K[]): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {};
  for (const field of fields) if (from[field] !== undefined) picked[field] = from[field];
  return picked as Pick<T, K>;
}
