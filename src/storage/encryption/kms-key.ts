import { createHash } from "node:crypto";
import type { Clock, Timer } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { DerivedKeyGcm, SEED_BYTES } from "./aes.ts";
import { checkEncryptedKey, checkKeyId } from "./encrypted-object.ts";
import type { EncryptedKey, KmsService, KmsStatus } from "./kms-service.ts";

/** How often a plugin that is well is asked which key it uses. */
const HEALTHY_INTERVAL_MS = 60_000;
/** How often one that is not. */
const UNHEALTHY_INTERVAL_MS = 10_000;
/** How long values are encrypted by a seed whose key could not be asked about any more. */
const SEED_LIFE_MS = 180_000;
/** How long an answer to a health check holds. */
const HEALTHY_ANSWER_MS = 20_000;
const UNHEALTHY_ANSWER_MS = 3_000;
const VERSIONS = ["v2", "v2beta1"];

/** A seed, as it is and as the plugin encrypted it. */
export interface Seed {
  readonly transformer: DerivedKeyGcm;
  readonly encrypted: EncryptedKey;
}

/**
 * The seed that new values are encrypted by, made anew when the plugin's key changes: upstream's `kmsv2PluginProbe`. Asks the plugin
 * in the background, until closed.
 */
export class KmsKey {
  readonly name: string;
  readonly service: KmsService;
  readonly #clock: Clock;
  readonly #random: Random;
  #seed: Seed | undefined;
  #expiresAt = 0;
  #version = "";
  #asking: Promise<Error | undefined> | undefined;
  #answer: { readonly error: Error | undefined; readonly until: number } = { error: undefined, until: 0 };
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: { readonly name: string; readonly service: KmsService; readonly clock: Clock; readonly random: Random }) {
    this.name = options.name;
    this.service = options.service;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Asks the plugin for the first time, and from then on by itself. A plugin that is not there yet is no error. */
  async start(): Promise<void> {
    const error = await this.check();
    if (this.#closed) return;
    const again = (): void => void this.start();
    this.#timer = this.#clock.setTimeout(again, error ? UNHEALTHY_INTERVAL_MS : HEALTHY_INTERVAL_MS, { unref: true });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
    this.service.close();
  }

  /** What is wrong with the plugin; undefined where it is well. Asked at most every few seconds. */
  check(): Promise<Error | undefined> {
    if (this.#clock.now() < this.#answer.until) return Promise.resolve(this.#answer.error);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The id of the key that new values are encrypted under. Throws before the plugin has told one. */
  get current(): Seed {
    if (this.#seed === undefined) throw new Error("got unexpected nil transformer");
    return this.#seed;
  }

  /** The seed to encrypt by. Throws where the plugin has not been heard of for too long. */
  get forWriting(): Seed {
    const seed = this.current;
    const now = this.#clock.now();
    if (now > this.#expiresAt) {
      const at = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
      const key = keyHash(seed.encrypted.keyId);
      throw new Error(
        `encryptedDEKSource with keyID hash "${key}" expired at ${at(this.#expiresAt)} (current time is ${at(now)})`,
      );
    }
    return seed;
  }

  async #ask(): Promise<Error | undefined> {
    const error = await this.#failure();
    this.#answer = { error, until: this.#clock.now() + (error ? UNHEALTHY_ANSWER_MS : HEALTHY_ANSWER_MS) };
    return error;
  }

  async #failure(): Promise<Error | undefined> {
    let status: KmsStatus;
    try {
      status = await this.service.status();
    } catch (error) {
      const what = `failed to perform status section of the healthz check for KMS Provider ${this.name}`;
      return new Error(`${what}, error: ${(error as Error).message}`);
    }
    const faults = [...this.#faults(status), ...(await this.#renew(status.keyId))];
    if (faults.length === 0) return undefined;
    const text = faults.length === 1 ? faults[0] : `[${faults.join(", ")}]`;
    return new Error(`kmsv2 Provider ${this.name} is not healthy, error: ${text}`);
  }

  #faults({ version, healthz }: KmsStatus): string[] {
    const faults = healthz === "ok" ? [] : [`got unexpected healthz status: ${healthz}`];
    if (!VERSIONS.includes(version)) return [...faults, `expected KMSv2 API version v2, got ${version}`];
    if (this.#version === "") this.#version = version;
    if (this.#version === version) return faults;
    const before = `KMSv2 API version should not change after the initial status response version ${this.#version}`;
    return [...faults, `${before}, got ${version}`];
  }

  async #renew(keyId: string): Promise<string[]> {
    try {
      checkKeyId(keyId);
    } catch (error) {
      return [`got invalid KMSv2 KeyID hash "${keyHash(keyId)}": ${(error as Error).message}`];
    }
    // Counted from before the call: it is the longest time that an old key is used.
    const expiresAt = this.#clock.now() + SEED_LIFE_MS;
    if (this.#seed?.encrypted.keyId === keyId) {
      this.#expiresAt = expiresAt;
      return [];
    }
    let fault: string;
    try {
      const seed = this.#random.bytes(SEED_BYTES);
      const encrypted = await this.service.encrypt(this.#random.uuid(), seed);
      checkEncryptedKey(encrypted);
      if (encrypted.keyId === keyId) {
        this.#seed = { transformer: new DerivedKeyGcm(seed, this.#random), encrypted };
        this.#expiresAt = expiresAt;
        return [];
      }
      fault = `the plugin encrypted with keyID hash "${keyHash(encrypted.keyId)}"`;
    } catch (error) {
      fault = (error as Error).message;
    }
    return [`failed to rotate DEK, statusKeyIDHash="${keyHash(keyId)}": ${fault}`];
  }
}

/** Names a key in messages without telling its id. */
function keyHash(keyId: string): string {
  return keyId === "" ? "" : `sha256:${createHash("sha256").update(keyId).digest("hex")}`;
}
