import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeProtobuf } from "#apimachinery/protobuf/decode.ts";
import { PROTOBUF_PREFIX } from "#apimachinery/protobuf/envelope.ts";
import { decodeObject } from "#apimachinery/schema/decode.ts";
import { parseExactJson } from "#apimachinery/schema/exact-json.ts";
import { normalizeOwned } from "#apimachinery/schema/normalize.ts";
import { schemaFor } from "#apimachinery/schema/registry.ts";
import type { StoredReader } from "../../cacher/stored-reader.ts";
import { storedHead } from "../../serializer.ts";
import type { ResourceDefinition } from "../resource.ts";
import { knownForm, type ServedForm, toStorageForm } from "./served-form.ts";
import type { StoredEncoding } from "./stored-encoding.ts";

/**
 * Reads what upstream's API server stored: protobuf or JSON, in any version that is known, with the defaults of that version, as
 * its decoder does. Values that are encrypted, or of a kind that is not the resource's, are refused.
 */
export function storedReader(
  definition: ResourceDefinition,
  forms: readonly ServedForm[],
  { staleness }: StoredEncoding,
): StoredReader {
  const storage = forms[0] as ServedForm;
  return {
    staleness,
    heads: [storedHead(storage.apiVersion, storage.kind)],
    read(bytes) {
      const value = parse(bytes);
      if (value.kind !== storage.kind) throw new Error(`a stored ${storage.kind} says that it is a ${String(value.kind)}`);
      // Versions of which nothing is told have the shape of the one that is stored.
      const form =
        forms.find(({ apiVersion }) => apiVersion === value.apiVersion) ??
        knownForm(definition, String(value.apiVersion), schemaFor) ??
        storage;
      const { object } = decodeObject(form.schema, value);
      const stored = toStorageForm(form, definition, { ...object, apiVersion: form.apiVersion, kind: form.kind } as ApiObject);
      if (form.other?.setDefaults === undefined) definition.strategy.setDefaults?.(stored);
      stored.apiVersion = storage.apiVersion;
      return normalizeOwned(storage.schema, stored) as ApiObject;
    },
  };
}

/** Reads what another program stored of a resource whose versions are told apart by who reads: as it is. */
export function rawReader(apiVersions: readonly string[], kind: string, { staleness }: StoredEncoding): StoredReader {
  return {
    staleness,
    heads: apiVersions.map((apiVersion) => storedHead(apiVersion, kind)),
    read(bytes) {
      const { kind: stored, metadata, ...rest } = parse(bytes);
      if (stored !== kind) throw new Error(`a stored ${kind} says that it is a ${String(stored)}`);
      return { ...rest, kind, metadata: metadata ?? {} } as ApiObject;
    },
  };
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  if (PROTOBUF_PREFIX.every((byte, i) => bytes[i] === byte)) return decodeProtobuf(bytes, schemaFor);
  return parseExactJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")) as Record<
    string,
    unknown
  >;
}
