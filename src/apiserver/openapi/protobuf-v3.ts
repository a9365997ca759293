import {
  any,
  double,
  type Encode,
  Fixed64,
  field,
  flag,
  type Message,
  message,
  object,
  pairs,
  text,
  whole,
} from "./protobuf-message.ts";
import type { Json } from "./type-document.ts";

/**
 * OpenAPI v3 documents as protobuf, in the messages of gnostic's `openapi.v3` package. The tables tell the field numbers of
 * what our documents contain.
 */
export function encodeV3Document(document: Json): Uint8Array {
  return message(DOCUMENT, document);
}

const REFERENCE: Message = { fields: { $ref: { number: 1, encode: text } } };

/** The thing itself, or a reference to it. */
function orReference(spec: () => Message): (value: Json) => Uint8Array {
  return (value) => (value.$ref === undefined ? field(1, message(spec(), value)) : field(2, message(REFERENCE, value)));
}

const schemaOrReference = orReference(() => SCHEMA);

/** Objects have no place in the message; upstream leaves them out, too. */
const defaultValue: Encode = (value: unknown) => {
  if (typeof value === "string") return field(3, Buffer.from(value));
  if (typeof value === "boolean") return field(2, value ? 1 : 0);
  if (typeof value !== "number") return undefined;
  return field(1, new Fixed64(value));
};

/** A schema or a reference, or true or false. */
const schemaOrFlag: Encode = (value: Json | boolean) =>
  typeof value === "boolean" ? field(2, value ? 1 : 0) : field(1, schemaOrReference(value));

const SCHEMA: Message = {
  fields: {
    nullable: { number: 1, encode: flag },
    readOnly: { number: 3, encode: flag },
    externalDocs: { number: 6, encode: object(() => EXTERNAL_DOCS) },
    example: { number: 7, encode: any },
    deprecated: { number: 8, encode: flag },
    title: { number: 9, encode: text },
    multipleOf: { number: 10, encode: double },
    maximum: { number: 11, encode: double },
    exclusiveMaximum: { number: 12, encode: flag },
    minimum: { number: 13, encode: double },
    exclusiveMinimum: { number: 14, encode: flag },
    maxLength: { number: 15, encode: whole },
    minLength: { number: 16, encode: whole },
    pattern: { number: 17, encode: text },
    maxItems: { number: 18, encode: whole },
    minItems: { number: 19, encode: whole },
    uniqueItems: { number: 20, encode: flag },
    maxProperties: { number: 21, encode: whole },
    minProperties: { number: 22, encode: whole },
    required: { number: 23, encode: text, repeated: true },
    enum: { number: 24, encode: any, repeated: true },
    type: { number: 25, encode: text },
    allOf: { number: 26, encode: schemaOrReference, repeated: true },
    oneOf: { number: 27, encode: schemaOrReference, repeated: true },
    anyOf: { number: 28, encode: schemaOrReference, repeated: true },
    not: { number: 29, encode: object(() => SCHEMA) },
    items: { number: 30, encode: (value: Json) => field(1, schemaOrReference(value)) },
    properties: { number: 31, encode: pairs(schemaOrReference) },
    additionalProperties: { number: 32, encode: schemaOrFlag },
    default: { number: 33, encode: defaultValue },
    description: { number: 34, encode: text },
    format: { number: 35, encode: text },
  },
  extensions: 36,
};

const EXTERNAL_DOCS: Message = { fields: { description: { number: 1, encode: text }, url: { number: 2, encode: text } } };

const CONTENT = pairs((value) => message({ fields: { schema: { number: 1, encode: schemaOrReference } } }, value));

const PARAMETER: Message = {
  fields: {
    name: { number: 1, encode: text },
    in: { number: 2, encode: text },
    description: { number: 3, encode: text },
    required: { number: 4, encode: flag },
    schema: { number: 10, encode: schemaOrReference },
  },
};

const REQUEST_BODY: Message = {
  fields: {
    description: { number: 1, encode: text },
    content: { number: 2, encode: CONTENT },
    required: { number: 3, encode: flag },
  },
};

const RESPONSE: Message = {
  fields: { description: { number: 1, encode: text }, content: { number: 3, encode: CONTENT } },
};

const OPERATION: Message = {
  fields: {
    tags: { number: 1, encode: text, repeated: true },
    description: { number: 3, encode: text },
    operationId: { number: 5, encode: text },
    parameters: { number: 6, encode: orReference(() => PARAMETER), repeated: true },
    requestBody: { number: 7, encode: orReference(() => REQUEST_BODY) },
    responses: {
      number: 8,
      encode: pairs(
        orReference(() => RESPONSE),
        2,
      ),
    },
  },
  extensions: 13,
};

const PATH_ITEM: Message = {
  fields: {
    get: { number: 4, encode: object(() => OPERATION) },
    put: { number: 5, encode: object(() => OPERATION) },
    post: { number: 6, encode: object(() => OPERATION) },
    delete: { number: 7, encode: object(() => OPERATION) },
    options: { number: 8, encode: object(() => OPERATION) },
    head: { number: 9, encode: object(() => OPERATION) },
    patch: { number: 10, encode: object(() => OPERATION) },
    parameters: { number: 13, encode: orReference(() => PARAMETER), repeated: true },
  },
};

const SECURITY_SCHEME: Message = {
  fields: {
    type: { number: 1, encode: text },
    description: { number: 2, encode: text },
    name: { number: 3, encode: text },
    in: { number: 4, encode: text },
  },
};

const COMPONENTS: Message = {
  fields: {
    schemas: { number: 1, encode: pairs(schemaOrReference) },
    securitySchemes: { number: 7, encode: pairs(orReference(() => SECURITY_SCHEME)) },
  },
};

const INFO: Message = { fields: { title: { number: 1, encode: text }, version: { number: 6, encode: text } } };

const DOCUMENT: Message = {
  fields: {
    openapi: { number: 1, encode: text },
    info: { number: 2, encode: object(() => INFO) },
    paths: { number: 4, encode: pairs((value) => message(PATH_ITEM, value)) },
    components: { number: 5, encode: object(() => COMPONENTS) },
  },
};
