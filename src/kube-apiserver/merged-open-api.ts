import { createHash } from "node:crypto";
import { encodeV2Document } from "#apiserver/openapi/protobuf-v2.ts";
import { type Json, mergeDocument } from "#kube-aggregator/open-api/merge-documents.ts";

/** A v2 document with its hash, in both forms. */
export interface VersionTwo {
  readonly text: string;
  readonly hash: string;
  readonly protobuf: () => Uint8Array;
}

interface Part {
  readonly text: string;
  readonly hash: string;
}

/** The v2 document of this server together with those of others; made again only when one of them changed. */
export class MergedOpenApi {
  #key = "";
  #merged: VersionTwo | undefined;

  merge(own: Part, others: readonly Part[]): VersionTwo {
    const key = [own, ...others].map(({ hash }) => hash).join();
    if (this.#merged === undefined || key !== this.#key) {
      this.#merged = build(own, others);
      this.#key = key;
    }
    return this.#merged;
  }
}

function build(own: Part, others: readonly Part[]): VersionTwo {
  const document = JSON.parse(own.text) as Json;
  for (const { text } of others) mergeDocument(document, JSON.parse(text) as Json);
  const text = JSON.stringify(document);
  let packed: Uint8Array | undefined;
  const protobuf = (): Uint8Array => {
    packed ??= encodeV2Document(document);
    return packed;
  };
  return { text, hash: createHash("sha512").update(text).digest("hex").toUpperCase(), protobuf };
}
