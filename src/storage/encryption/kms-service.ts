import type { Clock } from "#base/clock.ts";
import { GrpcChannel } from "#base/grpc/grpc-channel.ts";
import { GrpcError, UNAVAILABLE } from "#base/grpc/grpc-error.ts";
import { type Fields, frameOf } from "#base/grpc/message-writer.ts";
import { WireReader } from "#base/wire-reader.ts";

/** What a plugin tells of the key that it encrypted with. */
export type Annotations = ReadonlyMap<string, Uint8Array>;

/** How a plugin is. */
export interface KmsStatus {
  readonly version: string;
  /** `ok`, or what is wrong. */
  readonly healthz: string;
  readonly keyId: string;
}

/** A data key as a plugin encrypted it. */
export interface EncryptedKey {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
  readonly annotations: Annotations;
}

/** A key management service that keeps the key of keys: `v2.KeyManagementService` of k8s.io/kms. */
export interface KmsService {
  status(): Promise<KmsStatus>;
  encrypt(uid: string, plaintext: Uint8Array): Promise<EncryptedKey>;
  decrypt(uid: string, key: EncryptedKey): Promise<Uint8Array>;
  close(): void;
}

/** Between two tries to reach a plugin that is not there, in milliseconds. */
const RETRY_MS = 100;
const SERVICE = "/v2.KeyManagementService";

/** A plugin behind a Unix socket. Each call, with all its tries, ends within `timeoutMs`. */
export class GrpcKmsService implements KmsService {
  readonly #channel: GrpcChannel;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(options: { readonly socketPath: string; readonly timeoutMs: number; readonly clock: Clock }) {
    const { socketPath, timeoutMs, clock } = options;
    this.#channel = new GrpcChannel({ url: "http://localhost", tls: {}, clock, socketPath });
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  async status(): Promise<KmsStatus> {
    const status = { version: "", healthz: "", keyId: "" };
    const reader = await this.#call("Status", () => {});
    reader.fields((number, wire) => {
      if (number === 1) status.version = reader.text();
      else if (number === 2) status.healthz = reader.text();
      else if (number === 3) status.keyId = reader.text();
      else reader.skip(wire);
    });
    return status;
  }

  async encrypt(uid: string, plaintext: Uint8Array): Promise<EncryptedKey> {
    const reader = await this.#call("Encrypt", (fields) => {
      fields.text(2, uid);
      fields.bytes(1, plaintext);
    });
    let ciphertext = new Uint8Array();
    let keyId = "";
    const annotations = new Map<string, Uint8Array>();
    reader.fields((number, wire) => {
      if (number === 1) ciphertext = Uint8Array.from(reader.bytes());
      else if (number === 2) keyId = reader.text();
      else if (number === 3) readAnnotation(reader, annotations);
      else reader.skip(wire);
    });
    return { ciphertext, keyId, annotations };
  }

  async decrypt(uid: string, { ciphertext, keyId, annotations }: EncryptedKey): Promise<Uint8Array> {
    const reader = await this.#call("Decrypt", (fields) => {
      writeAnnotations(fields, 4, annotations);
      fields.text(3, keyId);
      fields.text(2, uid);
      fields.bytes(1, ciphertext);
    });
    let plaintext = new Uint8Array();
    reader.fields((number, wire) => {
      if (number === 1) plaintext = Uint8Array.from(reader.bytes());
      else reader.skip(wire);
    });
    return plaintext;
  }

  close(): void {
    this.#channel.close();
  }

  async #call(method: string, write: (fields: Fields) => void): Promise<WireReader> {
    const frame = frameOf(write);
    const until = this.#clock.elapsed() + this.#timeoutMs;
    for (;;) {
      try {
        const left = Math.max(1, until - this.#clock.elapsed());
        return new WireReader(await this.#channel.unary(`${SERVICE}/${method}`, frame, left));
      } catch (error) {
        const again = error instanceof GrpcError && error.code === UNAVAILABLE && error.unsent;
        if (!again || this.#clock.elapsed() + RETRY_MS >= until) throw error;
        await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, RETRY_MS));
      }
    }
  }
}

/** Adds an entry of a protobuf map from texts to bytes. */
export function readAnnotation(reader: WireReader, annotations: Map<string, Uint8Array>): void {
  let key = "";
  let value = new Uint8Array();
  reader.message((number, wire) => {
    if (number === 1) key = reader.text();
    else if (number === 2) value = Uint8Array.from(reader.bytes());
    else reader.skip(wire);
  });
  annotations.set(key, value);
}

/** Writes a protobuf map from texts to bytes, in the order of its keys. */
export function writeAnnotations(fields: Fields, number: number, annotations: Annotations): void {
  for (const [key, value] of [...annotations].sort(([a], [b]) => (a < b ? 1 : -1)))
    fields.message(number, () => {
      fields.bytes(2, value);
      fields.text(1, key);
    });
}
