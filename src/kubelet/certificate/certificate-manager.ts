import { X509Certificate } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RequestedSubject } from "#pki/certificate-request.ts";
import { type CertificatePair, generateKey } from "#pki/key-pair.ts";
import type { CertificateStore } from "./certificate-store.ts";
import { requestCertificate } from "./request-certificate.ts";

/** How long an issued certificate is waited for, in milliseconds (upstream's `certificateWaitTimeout`). */
const WAIT_MS: number = 15 * 60_000;
/** Pauses after failures, in milliseconds: doubled up to the longest. */
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 32_000;
/** How often it is seen whether the certificate still names what it should, in milliseconds. */
const LOOK_MS = 1_000;
/** A certificate is renewed when 70 to 90 in a hundred of its time have passed, so that nodes do not come all at once. */
const ROTATE_FROM = 0.7;
const ROTATE_SPREAD = 0.2;

/** What a {@link CertificateManager} is made of. */
export interface CertificateManagerOptions {
  readonly store: CertificateStore;
  readonly signerName: string;
  readonly usages: readonly string[];
  /** Whom the certificate names; undefined while that is not known. */
  readonly subject: () => RequestedSubject | undefined;
  /** Whom it is asked of. Gets the pair that is valid now, if any. */
  readonly client: (current: CertificatePair | undefined) => Client;
  /** Told of each new pair. */
  readonly onChange: (pair: CertificatePair) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Keeps a certificate valid: asks for the first one, and for the next before it ends (upstream's `certificate.Manager`). */
export class CertificateManager {
  readonly #options: CertificateManagerOptions;
  readonly #stopped = new AbortController();
  #pair: CertificatePair | undefined;
  /** When the pair is to be renewed, in milliseconds since the epoch. */
  #deadlineMs = 0;
  #done: Promise<void> = Promise.resolve();
  /** Renewals that failed, for metrics. */
  failures = 0;

  constructor(options: CertificateManagerOptions) {
    this.#options = options;
  }

  /** The pair, while it is valid. */
  current(): CertificatePair | undefined {
    const { clock } = this.#options;
    return this.#pair !== undefined && expiryMs(this.#pair) > clock.now() ? this.#pair : undefined;
  }

  /** When the pair ends, in milliseconds since the epoch. */
  expiresAtMs(): number | undefined {
    return this.#pair === undefined ? undefined : expiryMs(this.#pair);
  }

  /** Takes up what is stored, and begins. */
  async start(): Promise<void> {
    this.#take(await this.#options.store.current());
    this.#done = this.#run();
  }

  /** Ends. */
  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, logger, signerName } = this.#options;
    const { signal } = this.#stopped;
    let pause = RETRY_MS;
    while (!signal.aborted) {
      try {
        if (this.#isDue()) await this.#rotate();
        pause = RETRY_MS;
        await clock.sleep(LOOK_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.failures++;
        logger.warn({ err: error, signer: signerName }, "no new certificate could be had; it is tried again");
        await clock.sleep(pause, signal).catch(() => undefined);
        pause = Math.min(2 * pause, RETRY_MAX_MS);
      }
    }
  }

  #isDue(): boolean {
    const { clock, subject } = this.#options;
    const wanted = subject();
    if (wanted === undefined) return false;
    return this.#pair === undefined || clock.now() >= this.#deadlineMs || !names(this.#pair, wanted);
  }

  async #rotate(): Promise<void> {
    const { client, clock, store, signerName, usages, subject, logger } = this.#options;
    const wanted = subject();
    if (wanted === undefined) return;
    const key = generateKey();
    const late = new AbortController();
    const timer = clock.setTimeout(() => late.abort(new Error("timed out waiting for the condition")), WAIT_MS, { unref: true });
    // Other names are wanted meanwhile: what is waited for would be of no use.
    const watch = clock.setInterval(() => {
      if (JSON.stringify(subject()) !== JSON.stringify(wanted)) late.abort(new Error("other names are to be certified"));
    }, LOOK_MS);
    try {
      const signal = AbortSignal.any([this.#stopped.signal, late.signal]);
      const wish = { key, subject: wanted, signerName, usages };
      const cert = await requestCertificate(client(this.current()), wish, signal);
      const pair = { cert, key };
      await store.update(pair);
      this.#take(pair);
      logger.info({ signer: signerName, until: new X509Certificate(cert).validTo }, "a new certificate is in use");
    } finally {
      timer.clear();
      watch.clear();
    }
  }

  #take(pair: CertificatePair | undefined): void {
    if (pair === undefined) return;
    this.#pair = pair;
    const { validFrom, validTo } = new X509Certificate(pair.cert);
    const lifeMs = Date.parse(validTo) - Date.parse(validFrom);
    this.#deadlineMs = Date.parse(validFrom) + lifeMs * (ROTATE_FROM + ROTATE_SPREAD * this.#options.random.float());
    if (this.current() !== undefined) this.#options.onChange(pair);
  }
}

function expiryMs({ cert }: CertificatePair): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

/** Whether a certificate names all that it should. */
function names({ cert }: CertificatePair, { commonName, organizations = [], hosts = [] }: RequestedSubject): boolean {
  const certificate = new X509Certificate(cert);
  const lines = certificate.subject.split("\n");
  const covers = (host: string): boolean =>
    certificate.checkIP(host) !== undefined || certificate.checkHost(host, { subject: "never" }) !== undefined;
  return lines.includes(`CN=${commonName}`) && organizations.every((name) => lines.includes(`O=${name}`)) && hosts.every(covers);
}
