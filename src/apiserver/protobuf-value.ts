import { notAcceptable } from "#apimachinery/api-errors/errors.ts";
import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { encodeMessage } from "#apimachinery/protobuf/encode.ts";
import { inEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { schemaByName, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";

const META_PACKAGE = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Any value that tells its kind, in Kubernetes' protobuf form. Throws 406 for kinds that have none. */
export function protobufValue(value: object): Uint8Array {
  const { apiVersion = "", kind = "" } = value as { readonly apiVersion?: string; readonly kind?: string };
  const schema = schemaOf(apiVersion, kind);
  if (schema === undefined) throw notAcceptable(`object of kind ${kind} cannot be encoded to a protobuf message`);
  return inEnvelope(apiVersion, kind, encodeMessage(schema, value));
}

/** Discovery's kinds belong to no group version, and some of its documents do not even name one. */
function schemaOf(apiVersion: string, kind: string): StructSchema | undefined {
  const { group, version } = parseGroupVersion(apiVersion);
  return schemaFor(group, version, kind) ?? schemaByName(`${META_PACKAGE}.${kind}`);
}

const listMetaSchema = (): StructSchema => schemaByName(`${META_PACKAGE}.ListMeta`) as StructSchema;

/** The message of a list's metadata. */
export function listMetaMessage(metadata: object): Uint8Array {
  return encodeMessage(listMetaSchema(), metadata);
}
