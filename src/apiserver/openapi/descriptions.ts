import { brotliDecompressSync } from "node:zlib";
import { packedDescriptions } from "#api/generated/descriptions.ts";

/** Texts of `kubectl explain`. */
export interface Descriptions {
  /** By OpenAPI name: the type's text, and those of its fields. */
  readonly types: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>>;
  /** Of request parameters: by name, or by `name:purpose` where these differ. */
  readonly parameters: Readonly<Record<string, string>>;
}

let unpacked: WeakRef<Descriptions> | undefined;

/** Unpacks the texts; they may be forgotten again, since documents are built once. */
export function descriptions(): Descriptions {
  let value = unpacked?.deref();
  if (value === undefined) {
    value = JSON.parse(brotliDecompressSync(Buffer.from(packedDescriptions, "base64")).toString("utf8")) as Descriptions;
    unpacked = new WeakRef(value);
  }
  return value;
}
