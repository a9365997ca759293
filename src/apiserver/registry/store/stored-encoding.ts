import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { writeMessage } from "#apimachinery/protobuf/encode.ts";
import { envelopeHead, writtenInEnvelope } from "#apimachinery/protobuf/envelope.ts";
import { beginsWith, type EncodedObject, storedHead } from "../../serializer.ts";
import type { ServedForm } from "./served-form.ts";
import type { StorageMediaType } from "./storage-settings.ts";

/** Whether a stored value is what this server would write for the same object; `unknown` where only a comparison could tell. */
export type Staleness = boolean | "unknown";

/** How the objects of one resource are written to the store. Everything is read, whatever is written. */
export interface StoredEncoding {
  /** What is stored for an object, whose JSON is `encoded`. */
  write(object: ApiObject, encoded: EncodedObject): Uint8Array;
  staleness(value: Uint8Array): Staleness;
}

/** The encoding of a built-in kind by `--storage-media-type`. */
export function storedEncoding(mediaType: StorageMediaType, form: ServedForm): StoredEncoding {
  return mediaType === "application/vnd.kubernetes.protobuf" ? asProtobuf(form) : asJson([form.apiVersion], form.kind);
}

/** JSON, in one of several versions: what custom resources are stored in whatever `--storage-media-type` says, as upstream. */
export function asJson(apiVersions: readonly string[], kind: string): StoredEncoding {
  const heads = apiVersions.map((apiVersion) => storedHead(apiVersion, kind));
  return {
    write: (_, { bytes }) => bytes,
    staleness: (value) => !heads.some((head) => beginsWith(value, head)),
  };
}

function asProtobuf({ schema, apiVersion, kind }: ServedForm): StoredEncoding {
  const head = envelopeHead(apiVersion, kind);
  return {
    write(object, { bytes }) {
      const stored = withoutVersion(object);
      // The same as JSON is longer.
      return writtenInEnvelope(head, bytes.byteLength, (writer) => writeMessage(writer, schema, stored));
    },
    // Upstream leaves out what this server would fill in, and nothing at the front says who wrote a value.
    staleness: (value) => (beginsWith(value, head) ? "unknown" : true),
  };
}

/** New objects have none, and need no copy. */
function withoutVersion(object: ApiObject): ApiObject {
  if (object.metadata.resourceVersion === undefined) return object;
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
