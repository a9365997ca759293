import type { StatusError } from "#apimachinery/api-errors/status.ts";
import type { GenericStore } from "../../registry/store/generic-store.ts";
import type { ServedForm } from "../../registry/store/served-form.ts";
import type { StoreRegistry } from "../../registry/store/store-registry.ts";
import type { RequestContext, RequestInfo } from "../../request/request-info.ts";

/** What handlers need beside the request. */
export interface HandlerModules {
  readonly stores: StoreRegistry;
  /**
   * Asks whether the user may do what `info` says; used where one request implies another (PUT that creates).
   * Absent: everything is allowed. Resolves to the refusal.
   */
  readonly authorize?: (context: RequestContext, info: RequestInfo) => Promise<StatusError | undefined>;
}

/** One served version of a stored resource. */
export interface ResourceEndpoint {
  readonly store: GenericStore;
  readonly form: ServedForm;
  readonly modules: HandlerModules;
}

/** What the path of a request addresses. Names that a field selector mentions do not count. */
export interface Target {
  readonly namespace: string;
  /** Empty for the collection. */
  readonly name: string;
  readonly subresource: string;
}

/** The namespace that objects of the endpoint lie in, and the name in the path. */
export function targetOf(endpoint: ResourceEndpoint, info: RequestInfo): Target {
  return {
    namespace: endpoint.store.definition.scope === "Namespaced" ? info.namespace : "",
    name: info.parts[1] ?? "",
    subresource: info.parts[2] ?? "",
  };
}

/** Whether objects of the endpoint can be written as protobuf: custom resources cannot. */
export function hasProtobuf({ form }: ResourceEndpoint): boolean {
  return form.schema.unstructured === undefined;
}
