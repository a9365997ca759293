import type { WriteRequest } from "../../registry/store/store-core.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ResourceEndpoint, Target } from "../handlers/resource-handler.ts";
import type { WriteOptions } from "../handlers/write-options.ts";

/** What a client says of a write beside the object, as far as the store is concerned. */
export type StoreOptions = Pick<WriteOptions, "dryRun" | "fieldManager">;

/** The parts of a write that the store needs to know. */
export function writeRequest(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  target: Target,
  options: StoreOptions,
): WriteRequest {
  return {
    context,
    namespace: target.namespace,
    subresource: target.subresource,
    dryRun: options.dryRun,
    fieldManager: options.fieldManager,
    form: endpoint.form,
    admit: true,
  };
}

/** Writes that make their object need the right to. Throws 403. */
export async function authorizeCreate(endpoint: ResourceEndpoint, context: RequestContext): Promise<void> {
  const refusal = await endpoint.modules.authorize?.(context, { ...context.info, verb: "create" });
  if (refusal !== undefined) throw refusal;
}
