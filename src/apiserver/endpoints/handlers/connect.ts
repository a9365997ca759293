import { badRequest } from "#apimachinery/api-errors/errors.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { bodyFormat } from "#apimachinery/schema/decode-body.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { assert } from "#base/assert.ts";
import type { ConnectSubresource } from "../../registry/resource.ts";
import { ObjectView } from "../../registry/store/admission-forms.ts";
import type { RequestContext } from "../../request/request-info.ts";
import type { ApiResponse, ResourceRequest } from "../response.ts";
import { type StoreOptions, writeRequest } from "../writes/write-request.ts";
import { checkNamespace } from "../writes/written-object.ts";
import { decodeBody, type ExpectedKind } from "./body.ts";
import { connectOptions } from "./connect-options.ts";
import { header } from "./headers.ts";
import { negotiateWithoutTables } from "./negotiation.ts";
import { valueResponse } from "./representation.ts";
import { type ResourceEndpoint, type Target, targetOf } from "./resource-handler.ts";
import { methodNotAllowed } from "./route-errors.ts";
import { parseWriteOptions } from "./write-options.ts";

/** Requests for a subresource that is a function: `binding`, `eviction`, `token`, `log`. */
export async function handleConnect(
  endpoint: ResourceEndpoint,
  subresource: ConnectSubresource<ApiObject>,
  request: ResourceRequest,
): Promise<ApiResponse> {
  const target = targetOf(endpoint, request.info);
  if (request.info.verb === "create" && subresource.create !== undefined) {
    const negotiated = negotiateWithoutTables(header(request, "accept"));
    const format = bodyFormat(header(request, "content-type"));
    const options = parseWriteOptions(request.query, "CreateOptions", request.userAgent);
    const kind = kindOf(endpoint, subresource);
    const body = decodeBody(request.body, format, kind, options.fieldValidation, request.warnings);
    const shown = await createThrough(endpoint, subresource, request, target, body, options);
    return valueResponse(shown, { ...negotiated, transform: undefined }, 201);
  }
  if (subresource.connect === undefined) throw methodNotAllowed();
  if (subresource.admitted !== true) {
    return subresource.connect(target.name, request, endpoint.store, { ...subresource.kind } as unknown as ApiObject);
  }
  if (request.query.getAll("dryRun").some((value) => value !== "")) throw badRequest("dryRun is not supported");
  const options = await admitConnection(endpoint, subresource, request, target);
  if (subresource.needsCreate === true && request.info.verb !== "create") {
    const refusal = await endpoint.modules.authorize?.(request, { ...request.info, verb: "create" });
    if (refusal !== undefined) throw refusal;
  }
  return subresource.connect(target.name, request, endpoint.store, options);
}

/** What a function of an object answers to a body that was decoded as {@link kindOf} it; it must have a `create`. */
export async function createThrough(
  endpoint: ResourceEndpoint,
  subresource: ConnectSubresource<ApiObject>,
  context: RequestContext,
  target: Target,
  body: ApiObject,
  options: StoreOptions,
): Promise<ApiObject> {
  const { store, modules } = endpoint;
  const kind = kindOf(endpoint, subresource);
  checkNamespace(body, target);
  const write = writeRequest(endpoint, context, target, options);
  const plain = store.core.attributes("CREATE", write, target.name, body, undefined);
  const attributes = new ObjectView(subresource.kind, kind.schema, (object) => object).attributes(plain);
  await modules.stores.admission.mutate(attributes);
  await modules.stores.admission.validate(attributes);
  assert(subresource.create !== undefined, "it takes bodies");
  const answer = await subresource.create(target.name, body, context, store, options.dryRun);
  return answer.kind === kind.kind ? normalizeObject(kind.schema, answer) : answer;
}

/** Upstream's `ConnectResource`: the plugins judge the options before anything is looked up. Resolves to the options. */
async function admitConnection(
  endpoint: ResourceEndpoint,
  subresource: ConnectSubresource<ApiObject>,
  request: ResourceRequest,
  target: Target,
): Promise<ApiObject> {
  const kind = kindOf(endpoint, subresource);
  const options = connectOptions(kind, request.query, subresource.takesPath === true ? pathBehind(request) : "");
  const write = writeRequest(endpoint, request, target, { dryRun: false, fieldManager: "" });
  const plain = endpoint.store.core.attributes("CONNECT", write, target.name, options, undefined);
  const attributes = new ObjectView(subresource.kind, kind.schema, (object) => object).attributes(plain);
  await endpoint.modules.stores.admission.mutate(attributes);
  await endpoint.modules.stores.admission.validate(attributes);
  return options;
}

/** What follows the subresource in the path, with its slashes at both ends. */
function pathBehind({ info }: ResourceRequest): string {
  const path = info.parts.slice(3).join("/");
  const rooted = path === "" || path.startsWith("/") ? path : `/${path}`;
  return info.path.endsWith("/") && !rooted.endsWith("/") ? `${rooted}/` : rooted;
}

/** What a function of an object is told with. */
export function kindOf(endpoint: ResourceEndpoint, subresource: ConnectSubresource<ApiObject>): ExpectedKind {
  const { group, version, kind } = subresource.kind;
  const schema = endpoint.modules.stores.schemaFor(group, version, kind);
  assert(schema !== undefined, `no type ${kind} in ${group}/${version}`);
  return { group, version, kind, schema };
}
