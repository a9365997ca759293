import { isDeepStrictEqual } from "node:util";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import { decodeMessage, decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { DecodeError } from "#apimachinery/schema/exact-decode.ts";
import { normalizeObject } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import { ProtobufError } from "#base/wire-reader.ts";
import { KINDS, type KnownKind, OBJECTS } from "../bodies.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

function kindAt(index: number): KnownKind {
  const kind = KINDS[index % KINDS.length];
  check(kind !== undefined, "there are kinds");
  return kind;
}

function seed(object: object): Buffer {
  const { apiVersion, kind } = object as { apiVersion: string; kind: string };
  const index = KINDS.findIndex((one) => one.kind === kind && formatGroupVersion(one.group, one.version) === apiVersion);
  const { schema } = kindAt(index);
  return Buffer.concat([Buffer.of(index >> 8, index & 255), encodeMessage(schema, decodeObject(schema, object).object)]);
}

/** Messages of every kind, which two bytes in front choose; and whole bodies with their envelope. */
export const target: FuzzTarget = {
  seeds: [...OBJECTS.map(seed), inEnvelope("v1", "Pod", seed(OBJECTS[0] ?? {}).subarray(2))],
  run: (bytes) => {
    const { group, version, kind, schema } = kindAt((bytes[0] ?? 0) * 256 + (bytes[1] ?? 0));
    refusing([StatusError], () =>
      decodeBody({ bytes, format: "protobuf", kind: { group, version, kind }, fieldValidation: "Strict" }),
    );
    const canonical = (value: object): object =>
      normalizeObject(schema, { ...decodeObject(schema, value).object, apiVersion: formatGroupVersion(group, version), kind });
    const object = refusing([ProtobufError, DecodeError], () => canonical(decodeMessage(schema, bytes.subarray(2))));
    if (object === undefined) return;
    const enveloped = inEnvelope(formatGroupVersion(group, version), kind, encodeMessage(schema, object));
    const again = canonical(decodeProtobuf(enveloped, schemaFor));
    const [was, is] = [JSON.stringify(object), JSON.stringify(again)];
    check(isDeepStrictEqual(JSON.parse(is), JSON.parse(was)), `${kind} comes back as ${is}, was ${was}`);
  },
};
