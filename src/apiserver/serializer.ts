/** The bytes of one stored object as every reader gets them: JSON without `metadata.resourceVersion`, and where to splice it in. */
export interface EncodedObject {
  /** JSON text in UTF-8. */
  readonly bytes: Uint8Array;
  /** Byte offset at which `"resourceVersion":"N",` is put; just after `"metadata":{`. */
  readonly versionOffset: number;
}
