import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import type { WriteResult } from "../../registry/store/create-object.ts";
import { toServedForm } from "../../registry/store/served-form.ts";
import type { UpdateResult } from "../../registry/store/update-object.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { Patch } from "../handlers/patch-object.ts";
import { type ResourceEndpoint, targetOf } from "../handlers/resource-handler.ts";
import { authorizeCreate, type StoreOptions, writeRequest } from "./write-request.ts";
import { admitChange, checkName, setDefaults } from "./written-object.ts";

// The steps of a write are the same whether it comes over HTTPS or from within the process; who calls these reads what was sent, and
// answers. What is stored is read by the store, which validates, and begins anew where others wrote meanwhile.

/** Upstream's `createHandler`. Takes `body` over, which is in the client's form. */
export function createResource(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  options: StoreOptions,
  body: ApiObject,
): Promise<WriteResult> {
  setDefaults(endpoint, body);
  return endpoint.store.createFrom(body, writeRequest(endpoint, context, targetOf(endpoint, context.info), options));
}

/**
 * Upstream's `UpdateResource`, of an object or its status: what is not there is made, where the kind allows that and the user may.
 * `decode` makes what was sent, in the client's form, each time anew; complaints go to its argument.
 */
export function updateResource(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  options: StoreOptions,
  decode: (warnings: string[]) => ApiObject,
): Promise<UpdateResult> {
  const target = targetOf(endpoint, context.info);
  const read = (warnings: string[]): ApiObject => {
    const object = decode(warnings);
    setDefaults(endpoint, object, target.subresource);
    return object;
  };
  const body = read(context.warnings);
  checkName(body, target);
  // Nearly always the first attempt is the last one.
  let unused: ApiObject | undefined = body;
  const write = writeRequest(endpoint, context, target, options);
  return endpoint.store.updateWith({
    name: target.name,
    expectedUid: body.metadata.uid ?? "",
    mayCreate: true,
    transform: (existing) => {
      const change = (): ApiObject | Promise<ApiObject> => {
        const changed = unused ?? read([]);
        unused = undefined;
        return admitChange(endpoint, write, target.name, changed, existing);
      };
      return existing === undefined ? authorizeCreate(endpoint, context).then(change) : change();
    },
    // Behind the others: V8 takes half a microsecond and more for each member that a spread object is given further.
    ...write,
  });
}

/** Upstream's `PatchResource`, of an object or its status, for all patches but apply. */
export function patchResource(
  endpoint: ResourceEndpoint,
  context: RequestContext,
  options: StoreOptions,
  patch: Patch,
): Promise<UpdateResult> {
  const target = targetOf(endpoint, context.info);
  const write = writeRequest(endpoint, context, target, options);
  return endpoint.store.updateWith({
    name: target.name,
    expectedUid: "",
    mayCreate: false,
    transform: (existing) => {
      const current = toServedForm(endpoint.form, existing as ApiObject);
      const changed = patch.apply(current, endpoint.form, context.warnings);
      setDefaults(endpoint, changed, target.subresource);
      checkName(changed, target);
      return admitChange(endpoint, write, target.name, changed, existing);
    },
    ...write,
  });
}
