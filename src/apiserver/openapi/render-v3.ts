import { type Operation, type Parameter, type Paths, sharedParameters, sortParameters } from "./operation.ts";
import { BEARER_TOKEN, CODE_TEXTS, contentReference, INFO } from "./render.ts";
import type { Json, TypeDocuments } from "./type-document.ts";

/** What documents say of themselves. */
export interface RenderOptions {
  readonly info?: Json;
  /** Says nothing of who may ask. */
  readonly open?: boolean;
}

/** The OpenAPI v3 document of some paths. */
export function renderV3(paths: Paths, types: TypeDocuments, options: RenderOptions = {}): Json {
  const rendered: Json = {};
  for (const path of [...paths.keys()].sort()) rendered[path] = pathItem(paths.get(path) ?? [], types);
  const schemas = types.definitions();
  return {
    openapi: "3.0.0",
    info: options.info ?? INFO,
    paths: rendered,
    components: {
      ...(Object.keys(schemas).length > 0 ? { schemas } : {}),
      ...(options.open !== true && { securitySchemes: BEARER_TOKEN }),
    },
  };
}

function pathItem(operations: readonly Operation[], types: TypeDocuments): Json {
  const common = sharedParameters(operations);
  const item: Json = {};
  for (const operation of operations) item[operation.method] = renderOperation(operation, common, types);
  if (common.length > 0) item.parameters = sortParameters(common).map(renderParameter);
  return item;
}

function renderOperation(operation: Operation, common: readonly Parameter[], types: TypeDocuments): Json {
  const own = operation.parameters.filter((parameter) => !common.some((c) => c.name === parameter.name && c.in === parameter.in));
  const responses: Json = {};
  for (const code of operation.codes) responses[code] = response(operation, code, types);
  responses[401] = { description: "Unauthorized" };
  return {
    tags: [operation.tag],
    ...(operation.description === undefined ? {} : { description: operation.description }),
    operationId: operation.id,
    ...(own.length > 0 ? { parameters: sortParameters(own).map(renderParameter) } : {}),
    ...(operation.body === undefined ? {} : { requestBody: requestBody(operation.body, types) }),
    responses,
    ...(operation.action === undefined ? {} : { "x-kubernetes-action": operation.action }),
    ...(operation.kind === undefined ? {} : { "x-kubernetes-group-version-kind": operation.kind }),
  };
}

function requestBody(body: NonNullable<Operation["body"]>, types: TypeDocuments): Json {
  const schema = contentReference(types, body.type, 3);
  const content = Object.fromEntries(body.consumes.map((mediaType) => [mediaType, { schema }]));
  return { content, ...(body.required ? { required: true } : {}) };
}

function response(operation: Operation, code: number, types: TypeDocuments): Json {
  const description = CODE_TEXTS[code];
  if (operation.content === undefined) return { description };
  const schema = operation.content === "string" ? { type: "string" } : contentReference(types, operation.content.type, 3);
  return { description, content: Object.fromEntries((operation.produces ?? []).map((mediaType) => [mediaType, { schema }])) };
}

function renderParameter(parameter: Parameter): Json {
  const { name, type, description } = parameter;
  const required = parameter.in === "path" ? { required: true } : {};
  return { name, in: parameter.in, description, ...required, schema: { type, uniqueItems: true } };
}
