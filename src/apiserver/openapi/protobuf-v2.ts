import { any, double, type Encode, field, flag, type Message, message, object, pairs, text, whole } from "./protobuf-message.ts";
import type { Json } from "./type-document.ts";

/**
 * OpenAPI v2 documents as protobuf, in the messages of gnostic's `openapi.v2` package: the only form in which kubectl reads them.
 * The tables tell the field numbers of what our documents contain.
 */
export function encodeV2Document(document: Json): Uint8Array {
  return message(DOCUMENT, document);
}

/** A schema, or true or false. */
const schemaOrFlag: Encode = (value: Json | boolean) =>
  typeof value === "boolean" ? field(2, value ? 1 : 0) : field(1, message(SCHEMA, value));

const typeNames: Encode = (value: string | readonly string[]) =>
  Buffer.concat([value].flat().map((name) => field(1, Buffer.from(name as string))));

const SCHEMA: Message = {
  fields: {
    $ref: { number: 1, encode: text },
    format: { number: 2, encode: text },
    title: { number: 3, encode: text },
    description: { number: 4, encode: text },
    default: { number: 5, encode: any },
    multipleOf: { number: 6, encode: double },
    maximum: { number: 7, encode: double },
    exclusiveMaximum: { number: 8, encode: flag },
    minimum: { number: 9, encode: double },
    exclusiveMinimum: { number: 10, encode: flag },
    maxLength: { number: 11, encode: whole },
    minLength: { number: 12, encode: whole },
    pattern: { number: 13, encode: text },
    maxItems: { number: 14, encode: whole },
    minItems: { number: 15, encode: whole },
    uniqueItems: { number: 16, encode: flag },
    maxProperties: { number: 17, encode: whole },
    minProperties: { number: 18, encode: whole },
    required: { number: 19, encode: text, repeated: true },
    enum: { number: 20, encode: any, repeated: true },
    additionalProperties: { number: 21, encode: schemaOrFlag },
    type: { number: 22, encode: typeNames },
    items: { number: 23, encode: (value: Json) => field(1, message(SCHEMA, value)) },
    allOf: { number: 24, encode: object(() => SCHEMA), repeated: true },
    properties: { number: 25, encode: pairs((value) => message(SCHEMA, value)) },
    discriminator: { number: 26, encode: text },
    readOnly: { number: 27, encode: flag },
    externalDocs: { number: 29, encode: object(() => EXTERNAL_DOCS) },
    example: { number: 30, encode: any },
  },
  extensions: 31,
};

const EXTERNAL_DOCS: Message = { fields: { description: { number: 1, encode: text }, url: { number: 2, encode: text } } };

const BODY_PARAMETER: Message = {
  fields: {
    description: { number: 1, encode: text },
    name: { number: 2, encode: text },
    in: { number: 3, encode: text },
    required: { number: 4, encode: flag },
    schema: { number: 5, encode: object(() => SCHEMA) },
  },
};

const COMMON_PARAMETER: Message["fields"] = {
  required: { number: 1, encode: flag },
  in: { number: 2, encode: text },
  description: { number: 3, encode: text },
  name: { number: 4, encode: text },
};
const QUERY_PARAMETER: Message = {
  fields: {
    ...COMMON_PARAMETER,
    type: { number: 6, encode: text },
    format: { number: 7, encode: text },
    uniqueItems: { number: 20, encode: flag },
  },
};
/** Of headers, too. */
const PATH_PARAMETER: Message = {
  fields: {
    ...COMMON_PARAMETER,
    type: { number: 5, encode: text },
    format: { number: 6, encode: text },
    uniqueItems: { number: 19, encode: flag },
  },
};

const REFERENCE: Message = { fields: { $ref: { number: 1, encode: text }, description: { number: 2, encode: text } } };

/** A parameter: in the body, or in one of the other places. */
function parameter(value: Json): Buffer {
  if (value.in === "body") return field(1, message(BODY_PARAMETER, value));
  if (value.in === "path") return field(2, field(4, message(PATH_PARAMETER, value)));
  if (value.in === "header") return field(2, field(1, message(PATH_PARAMETER, value)));
  return field(2, field(3, message(QUERY_PARAMETER, value)));
}

const parameterItem: Encode = (value: Json) =>
  value.$ref === undefined ? field(1, parameter(value)) : field(2, message(REFERENCE, value));

const RESPONSE: Message = {
  fields: {
    description: { number: 1, encode: text },
    schema: { number: 2, encode: (value: Json) => field(1, message(SCHEMA, value)) },
  },
};

const OPERATION: Message = {
  fields: {
    tags: { number: 1, encode: text, repeated: true },
    summary: { number: 2, encode: text },
    description: { number: 3, encode: text },
    operationId: { number: 5, encode: text },
    produces: { number: 6, encode: text, repeated: true },
    consumes: { number: 7, encode: text, repeated: true },
    parameters: { number: 8, encode: parameterItem, repeated: true },
    responses: { number: 9, encode: pairs((value) => field(1, message(RESPONSE, value))) },
    schemes: { number: 10, encode: text, repeated: true },
    deprecated: { number: 11, encode: flag },
  },
  extensions: 13,
};

const PATH_ITEM: Message = {
  fields: {
    get: { number: 2, encode: object(() => OPERATION) },
    put: { number: 3, encode: object(() => OPERATION) },
    post: { number: 4, encode: object(() => OPERATION) },
    delete: { number: 5, encode: object(() => OPERATION) },
    options: { number: 6, encode: object(() => OPERATION) },
    head: { number: 7, encode: object(() => OPERATION) },
    patch: { number: 8, encode: object(() => OPERATION) },
    parameters: { number: 9, encode: parameterItem, repeated: true },
  },
};

const API_KEY: Message = {
  fields: {
    type: { number: 1, encode: text },
    name: { number: 2, encode: text },
    in: { number: 3, encode: text },
    description: { number: 4, encode: text },
  },
};

const DOCUMENT: Message = {
  fields: {
    swagger: { number: 1, encode: text },
    info: {
      number: 2,
      encode: object(() => ({ fields: { title: { number: 1, encode: text }, version: { number: 2, encode: text } } })),
    },
    paths: { number: 8, encode: pairs((value) => message(PATH_ITEM, value), 2) },
    definitions: { number: 9, encode: pairs((value) => message(SCHEMA, value)) },
    parameters: { number: 10, encode: pairs(parameter) },
    security: { number: 12, encode: pairs(() => Buffer.alloc(0)), repeated: true },
    securityDefinitions: { number: 13, encode: pairs((value) => field(2, message(API_KEY, value))) },
  },
};
