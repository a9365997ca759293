import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";

/** Makes of custom resources those of another version: copies, in the same order, all or none. */
export interface Converter {
  /** At once where nobody else is asked. Throws or rejects with a StatusError. */
  readonly convert: (objects: readonly ApiObject[], apiVersion: string) => readonly ApiObject[] | Promise<readonly ApiObject[]>;
}

/** Strategy None: versions differ in their schemas alone. */
export const noneConverter: Converter = {
  convert: (objects, apiVersion) => objects.map((object) => ({ ...(deepCopy(object) as ApiObject), apiVersion })),
};
