import { createHash } from "node:crypto";
import { type Operation, type Parameter, type Paths, sharedParameters, sortParameters } from "./operation.ts";
import { BEARER_TOKEN, CODE_TEXTS, contentReference, INFO } from "./render.ts";
import type { Json, TypeDocuments } from "./type-document.ts";

/** The OpenAPI v2 document of all paths. Parameters that occur more than once are told once. */
export function renderV2(paths: Paths, types: TypeDocuments): Json {
  const shared = new SharedParameters();
  const rendered: Json = {};
  for (const path of [...paths.keys()].sort()) rendered[path] = pathItem(paths.get(path) ?? [], types, shared);
  return {
    swagger: "2.0",
    info: INFO,
    paths: rendered,
    definitions: types.definitions(),
    parameters: shared.definitions(),
    securityDefinitions: BEARER_TOKEN,
    security: [{ BearerToken: [] }],
  };
}

/** Told in their places: names have the kind in their text, and kubectl to 1.27 looks for the others there. */
const UNSHARED: ReadonlySet<string> = new Set(["name", "dryRun", "fieldValidation"]);

class SharedParameters {
  readonly #known = new Map<string, Json>();

  reference(parameter: Json): Json {
    const digest = createHash("sha256").update(JSON.stringify(parameter)).digest("base64url").slice(0, 8);
    const name = `${String(parameter.name)}-${digest}`;
    this.#known.set(name, parameter);
    return { $ref: `#/parameters/${name}` };
  }

  definitions(): Json {
    return Object.fromEntries([...this.#known].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function pathItem(operations: readonly Operation[], types: TypeDocuments, shared: SharedParameters): Json {
  const common = sharedParameters(operations);
  const item: Json = {};
  for (const operation of operations) item[operation.method] = renderOperation(operation, common, types, shared);
  if (common.length > 0) item.parameters = sortParameters(common).map((parameter) => renderParameter(parameter, shared));
  return item;
}

function renderOperation(
  operation: Operation,
  common: readonly Parameter[],
  types: TypeDocuments,
  shared: SharedParameters,
): Json {
  const own = sortParameters(
    operation.parameters.filter((parameter) => !common.some((c) => c.name === parameter.name && c.in === parameter.in)),
  );
  const parameters = own.map((parameter) => renderParameter(parameter, shared));
  if (operation.body !== undefined) {
    const schema = contentReference(types, operation.body.type, 2);
    const body: Json = { in: "body", name: "body", ...(operation.body.required ? { required: true } : {}), schema };
    parameters.unshift(/(Patch|DeleteOptions)$/.test(operation.body.type) ? shared.reference(body) : body);
  }
  const responses: Json = {};
  for (const code of operation.codes) responses[code] = response(operation, code, types);
  responses[401] = { description: "Unauthorized" };
  return {
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(operation.consumes === undefined ? {} : { consumes: operation.consumes }),
    ...(operation.produces === undefined ? {} : { produces: operation.produces }),
    schemes: ["https"],
    tags: [operation.tag],
    operationId: operation.id,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses,
    ...(operation.action === undefined ? {} : { "x-kubernetes-action": operation.action }),
    ...(operation.kind === undefined ? {} : { "x-kubernetes-group-version-kind": operation.kind }),
  };
}

function response(operation: Operation, code: number, types: TypeDocuments): Json {
  const { content } = operation;
  const description = CODE_TEXTS[code];
  if (content === undefined) return { description };
  return { description, schema: content === "string" ? { type: "string" } : contentReference(types, content.type, 2) };
}

function renderParameter(parameter: Parameter, shared: SharedParameters): Json {
  const { name, type, description } = parameter;
  const required = parameter.in === "path" ? { required: true } : {};
  const rendered: Json = { uniqueItems: true, type, description, name, in: parameter.in, ...required };
  return UNSHARED.has(name) ? rendered : shared.reference(rendered);
}
