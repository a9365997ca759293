import type { CustomResourceSubresourceScale } from "#api/generated/apiextensions/v1.ts";
import { internalError } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import type { UpdateSubresource } from "#apiserver/registry/resource.ts";

type Members = Record<string, unknown>;

/** The view `autoscaling/v1 Scale` of custom resources that declare where their replicas stand. */
export function customScale(paths: CustomResourceSubresourceScale): UpdateSubresource<ApiObject> {
  const spec = steps(paths.specReplicasPath);
  const scaleOf = (object: ApiObject, replicas: number): ApiObject => {
    const selector = paths.labelSelectorPath === undefined ? undefined : find(object, steps(paths.labelSelectorPath));
    const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
    return {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(creationTimestamp !== undefined && { creationTimestamp }),
      },
      spec: replicas === 0 ? {} : { replicas },
      status: {
        replicas: numberOf(find(object, steps(paths.statusReplicasPath))),
        ...(typeof selector === "string" && selector !== "" && { selector }),
      },
    } as ApiObject;
  };
  return {
    type: "view",
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    read(object) {
      const replicas = find(object, spec);
      if (typeof replicas !== "number") throw internalError(`the spec replicas field "${paths.specReplicasPath}" does not exist`);
      return scaleOf(object, replicas);
    },
    readForWrite: (object) => scaleOf(object, numberOf(find(object, spec))),
    write(view, object) {
      const path = [...spec];
      const last = path.pop() ?? "";
      let at = object as unknown as Members;
      for (const step of path) {
        const next = at[step];
        if (next === null || typeof next !== "object") setOwn(at, step, {});
        at = at[step] as Members;
      }
      setOwn(at, last, replicasOf(view));
    },
    fields: [{ object: spec, view: ["spec", "replicas"] }],
    validate(view): FieldError[] {
      const replicas = replicasOf(view);
      if (replicas >= 0) return [];
      return [invalid(FieldPath.of(paths.specReplicasPath), replicas, "should be a non-negative integer")];
    },
    faultsOfObject: true,
  };
}

/** These paths are plain: `.spec.replicas`. */
function steps(path: string): readonly string[] {
  return path.replace(/^\./, "").split(".");
}

function find(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const step of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, step)) return undefined;
    value = (value as Members)[step];
  }
  return value;
}

function replicasOf(view: ApiObject): number {
  return numberOf(find(view, ["spec", "replicas"]));
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
