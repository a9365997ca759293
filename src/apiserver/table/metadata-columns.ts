import { timeSince } from "#apimachinery/meta/human-duration.ts";
import type { Column } from "../registry/resource.ts";

/** What the columns that all kinds share look at. */
export interface Named {
  readonly metadata: { readonly name?: string; readonly creationTimestamp?: string | null };
}

const NAME_DESCRIPTION =
  "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/** What columns with an object's age or time of creation say of themselves. */
export const CREATED_DESCRIPTION: string =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/** The first column of nearly every kind. */
export const nameColumn: Column<Named> = {
  name: "Name",
  type: "string",
  format: "name",
  description: NAME_DESCRIPTION,
  cell: (object) => object.metadata.name ?? "",
};

/** Time since creation, for people. */
export const ageColumn: Column<Named> = {
  name: "Age",
  type: "string",
  description: CREATED_DESCRIPTION,
  cell: (object, now) => timeSince(object.metadata.creationTimestamp, now),
};

/** What kinds without a printer of their own show beside the name. */
export const createdAtColumn: Column<Named> = {
  name: "Created At",
  type: "date",
  description: CREATED_DESCRIPTION,
  cell: (object) => object.metadata.creationTimestamp ?? null,
};
