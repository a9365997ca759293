import { Fields } from "#base/grpc/message-writer.ts";
import { WireReader } from "#base/wire-reader.ts";
import { WireWriter } from "#base/wire-writer.ts";
import { type EncryptedKey, readAnnotation, writeAnnotations } from "./kms-service.ts";

/** The plaintext of the encrypted key is the AES-GCM key itself, as upstream wrote before v1.29. */
export const KEY = 0;
/** The plaintext of the encrypted key is a seed that keys are derived from. */
export const SEED = 1;

/** What stands in the store for a value behind a KMS plugin: upstream's `EncryptedObject` of kmsv2. */
export interface EncryptedObject extends EncryptedKey {
  readonly data: Uint8Array;
  readonly source: number;
}

const KEY_ID_BYTES_MAX = 1024;
const ENCRYPTED_KEY_BYTES_MAX = 1024;
const ANNOTATIONS_BYTES_MAX = 32 * 1024;
/** A label of a domain name, and at least one more. */
const QUALIFIED_DOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/;

/** The message in protobuf; what is stored behind `k8s:enc:kms:v2:NAME:`. */
export function encodeEncryptedObject(object: EncryptedObject): Buffer {
  const writer = new WireWriter(object.data.byteLength + ENCRYPTED_KEY_BYTES_MAX);
  const fields = new Fields(writer);
  fields.integer(5, object.source);
  writeAnnotations(fields, 4, object.annotations);
  fields.bytes(3, object.ciphertext);
  fields.text(2, object.keyId);
  fields.bytes(1, object.data);
  return writer.finish();
}

/** Throws for what is no such message, and for one that breaks its limits. */
export function decodeEncryptedObject(bytes: Uint8Array): EncryptedObject {
  const reader = new WireReader(bytes);
  let data: Uint8Array = new Uint8Array();
  let ciphertext: Uint8Array = new Uint8Array();
  let [keyId, source] = ["", KEY];
  const annotations = new Map<string, Uint8Array>();
  reader.fields((number, wire) => {
    if (number === 1) data = reader.bytes();
    else if (number === 2) keyId = reader.text();
    else if (number === 3) ciphertext = Uint8Array.from(reader.bytes());
    else if (number === 4) readAnnotation(reader, annotations);
    else if (number === 5) source = reader.integer();
    else reader.skip(wire);
  });
  if (source !== KEY && source !== SEED) throw new Error(`unknown encryptedDEKSourceType: ${source}`);
  if (data.byteLength === 0) throw new Error("encrypted data is empty");
  checkEncryptedKey({ ciphertext, keyId, annotations });
  return { data, ciphertext, keyId, annotations, source };
}

/** Throws where a plugin's answer breaks the limits of what is stored with each value. */
export function checkEncryptedKey({ ciphertext, keyId, annotations }: EncryptedKey): void {
  const source = ciphertext.byteLength;
  if (source === 0) throw new Error("failed to validate encrypted DEK source: encrypted DEK source is empty");
  if (source > ENCRYPTED_KEY_BYTES_MAX) {
    const text = `encrypted DEK source is ${source} bytes, which exceeds the max size of ${ENCRYPTED_KEY_BYTES_MAX}`;
    throw new Error(`failed to validate encrypted DEK source: ${text}`);
  }
  checkKeyId(keyId, "failed to validate key id: ");
  let size = 0;
  for (const [name, value] of annotations) {
    if (!QUALIFIED_DOMAIN.test(name)) throw new Error(`failed to validate annotations: annotations: Invalid value: "${name}"`);
    size += Buffer.byteLength(name) + value.byteLength;
  }
  if (size > ANNOTATIONS_BYTES_MAX) {
    const text = `total size of annotations is ${size}, which exceeds the max size of ${ANNOTATIONS_BYTES_MAX}`;
    throw new Error(`failed to validate annotations: ${text}`);
  }
}

/** Throws for an id that is empty or too long. */
export function checkKeyId(keyId: string, before = ""): void {
  const size = Buffer.byteLength(keyId);
  if (size === 0) throw new Error(`${before}keyID is empty`);
  if (size > KEY_ID_BYTES_MAX) {
    throw new Error(`${before}keyID is ${size} bytes, which exceeds the max size of ${KEY_ID_BYTES_MAX}`);
  }
}
