import type { Json, OpenApiVersion } from "./type-document.ts";

/** The type of a custom resource's version, as OpenAPI tells it. */
export interface PublishedType {
  /** `com.example.stable.v1.CronTab`. */
  readonly name: string;
  readonly kind: string;
  readonly listKind: string;
  /** Where a resource within the resource has metadata, `refer` makes a reference to the type of that name. */
  readonly schema: (form: OpenApiVersion, refer: (name: string) => Json) => Json;
  /** Of the list's type too: `x-kubernetes-selectable-fields`. */
  readonly extensions: Json;
}
