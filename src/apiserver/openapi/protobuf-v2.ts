import { type Encode, field, flag, type Message, message, object, pairs, text } from "./protobuf-message.ts";
import type { Json } from "./type-document.ts";

/**
 * OpenAPI v2 documents as protobuf, in the messages of gnostic's `openapi.v2` package: the only form in which kubectl reads them.
 * The tables tell the field numbers of what our documents contain.
 */
export function encodeV2Document(document: Json): Uint8Array {
  return message(DOCUMENT, document);
}

const SCHEMA: Message = {
  fields: {
    $ref: { number: 1, encode: text },
    format: { number: 2, encode: text },
    description: { number: 4, encode: text },
    required: { number: 19, encode: text, repeated: true },
    additionalProperties: { number: 21, encode: (value: Json) => field(1, message(SCHEMA, value)) },
    type: { number: 22, encode: (value: string) => field(1, Buffer.from(value)) },
    items: { number: 23, encode: (value: Json) => field(1, message(SCHEMA, value)) },
    properties: { number: 25, encode: pairs((value) => message(SCHEMA, value)) },
  },
  extensions: 31,
};

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
  fields: { ...COMMON_PARAMETER, type: { number: 6, encode: text }, uniqueItems: { number: 20, encode: flag } },
};
const PATH_PARAMETER: Message = {
  fields: { ...COMMON_PARAMETER, type: { number: 5, encode: text }, uniqueItems: { number: 19, encode: flag } },
};

const REFERENCE: Message = { fields: { $ref: { number: 1, encode: text }, description: { number: 2, encode: text } } };

/** A parameter: in the body, or in one of the other places. */
function parameter(value: Json): Buffer {
  if (value.in === "body") return field(1, message(BODY_PARAMETER, value));
  const place = value.in === "path" ? field(4, message(PATH_PARAMETER, value)) : field(3, message(QUERY_PARAMETER, value));
  return field(2, place);
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
    description: { number: 3, encode: text },
    operationId: { number: 5, encode: text },
    produces: { number: 6, encode: text, repeated: true },
    consumes: { number: 7, encode: text, repeated: true },
    parameters: { number: 8, encode: parameterItem, repeated: true },
    responses: { number: 9, encode: pairs((value) => field(1, message(RESPONSE, value))) },
    schemes: { number: 10, encode: text, repeated: true },
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
