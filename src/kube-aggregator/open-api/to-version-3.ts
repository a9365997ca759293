import type { Json } from "./merge-documents.ts";

const METHODS = new Set(["get", "put", "post", "delete", "options", "head", "patch"]);

/**
 * An OpenAPI v2 document as version 3, for servers that have none of that: what version 2 cannot say stays unsaid
 * (kube-openapi's `ConvertV2ToV3`).
 */
export function toVersion3(document: Json): Json {
  const paths = Object.entries(object(document.paths)).map(([path, item]) => [path, pathItem(object(item), document)]);
  const schemas = mapped(object(document.definitions), schema);
  const security = mapped(object(document.securityDefinitions), (scheme) => scheme);
  return {
    openapi: "3.0.0",
    ...(document.info === undefined ? {} : { info: document.info }),
    paths: Object.fromEntries(paths),
    components: {
      ...(Object.keys(schemas).length > 0 && { schemas }),
      ...(Object.keys(security).length > 0 && { securitySchemes: security }),
    },
  };
}

function pathItem(item: Json, document: Json): Json {
  const parameters = list(item.parameters).map((parameter) => resolved(parameter, document));
  const converted: Json = {};
  for (const [key, value] of Object.entries(item)) {
    if (METHODS.has(key)) converted[key] = operation(object(value), document);
    else if (key !== "parameters") converted[key] = value;
  }
  const plain = parameters.filter(isPlain).map(parameterOf);
  return plain.length === 0 ? converted : { ...converted, parameters: plain };
}

function operation(value: Json, document: Json): Json {
  const { consumes, produces, parameters, responses, schemes: _, security: __, ...rest } = value;
  const all = list(parameters).map((parameter) => resolved(parameter, document));
  const body = all.find((parameter) => parameter.in === "body");
  const plain = all.filter(isPlain).map(parameterOf);
  const contents = (types: unknown, of: unknown): Json => {
    const named = types ?? ["*/*"];
    return Object.fromEntries((named as string[]).map((type) => [type, { schema: schema(of) }]));
  };
  const answers = mapped(object(responses), (answer) => {
    const { schema: content, ...other } = object(answer);
    return content === undefined ? other : { ...other, content: contents(produces ?? document.produces, content) };
  });
  return {
    ...rest,
    ...(plain.length > 0 && { parameters: plain }),
    ...(body !== undefined && {
      requestBody: {
        ...(body.description === undefined ? {} : { description: body.description }),
        content: contents(consumes ?? document.consumes, body.schema),
        ...(body.required === true && { required: true }),
      },
    }),
    responses: answers,
  };
}

/** Parameters in the query, the path and headers; those of forms are not known to Kubernetes. */
function isPlain(parameter: Json): boolean {
  return parameter.in === "query" || parameter.in === "path" || parameter.in === "header";
}

function parameterOf({ name, in: place, description, required, ...type }: Json): Json {
  return {
    name,
    in: place,
    ...(description === undefined ? {} : { description }),
    ...(required === true && { required }),
    schema: schema(type),
  };
}

function resolved(parameter: unknown, document: Json): Json {
  const { $ref } = object(parameter);
  if (typeof $ref !== "string") return object(parameter);
  return object(object(document.parameters)[$ref.slice("#/parameters/".length)]);
}

/** The same with references to where version 3 has definitions. */
function schema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(schema);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "$ref" && typeof item === "string" ? item.replace("#/definitions/", "#/components/schemas/") : schema(item),
    ]),
  );
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mapped(value: Json, convert: (item: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, convert(item)]));
}
