import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** Changes an object in place: those who asked for admission hold the object itself. */
export function replaceContent(object: ApiObject, content: ApiObject): void {
  const target = object as unknown as Record<string, unknown>;
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, content);
}
