import type { ObjectMeta } from "#apimachinery/meta/api-object.ts";
import { type FieldError, forbidden } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** What is decided for each object that is made from a template, in the order of upstream's struct. */
const OF_OBJECTS = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const;

/** What a template of claims says in its metadata beside labels and annotations, which it may not (upstream's `ValidateFieldAllowList`). */
export function forbiddenTemplateMetadata(metadata: ObjectMeta | undefined, path: FieldPath): FieldError[] {
  const all: ObjectMeta = { ...metadata };
  return OF_OBJECTS.filter((field) => {
    const value = all[field];
    // Numbers that may be zero are set all the same where upstream has pointers to them.
    return !(value === undefined || value === null || value === "" || (value === 0 && field === "generation"));
    // Upstream takes the name of its field and makes the first letter small.
  }).map((field) => forbidden(path.child(field === "uid" ? "uID" : field), "cannot be set"));
}
