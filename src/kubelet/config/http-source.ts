import type { Pod } from "#api/generated/core/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RunningSource, TakePods } from "./pod-source.ts";
import { staticPod } from "./static-pod.ts";

/** Asks a URL with a GET. Rejects when nobody answers in time. */
export type FetchManifest = (
  url: string,
  headers: Readonly<Record<string, readonly string[]>>,
) => Promise<{ readonly statusCode: number; readonly statusText: string; readonly text: string }>;

/** What an {@link HttpSource} is made of. */
export interface HttpSourceOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly nodeName: string;
  /** How often it is asked, in milliseconds. */
  readonly periodMs: number;
  readonly decodeManifest: (text: string) => readonly Pod[];
  readonly fetchManifest: FetchManifest;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly take: TakePods;
}

const OK = 200;
/** After so many failures in a row it is said less loudly (upstream's `sourceURL`). */
const LOUD_FAILURES_MAX = 3;

/** Static pods of a document on a server (upstream's `sourceURL`): what was said last goes on while it does not answer. */
export class HttpSource implements RunningSource {
  readonly #options: HttpSourceOptions;
  readonly #timer: Timer;
  #text: string | undefined;
  #failures = 0;
  #asking = false;
  #stopped = false;

  constructor(options: HttpSourceOptions) {
    this.#options = options;
    this.#timer = options.clock.setInterval(() => void this.#ask(), options.periodMs, { unref: true });
    void this.#ask();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#read();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      const { url, logger } = this.#options;
      const level = this.#failures <= LOUD_FAILURES_MAX ? "warn" : "debug";
      logger[level](
        { url, err: error instanceof Error ? error.message : String(error) },
        "no manifest could be read from the URL",
      );
    } finally {
      this.#asking = false;
    }
  }

  async #read(): Promise<void> {
    const { url, headers, nodeName, fetchManifest, decodeManifest, take } = this.#options;
    const { statusCode, statusText, text } = await fetchManifest(url, headers);
    if (statusCode !== OK) throw new Error(`${url}: ${statusCode} ${statusText}`);
    if (text.length === 0) throw new Error(`zero-length data received from ${url}`);
    if (text === this.#text || this.#stopped) return;
    const pods = decodeManifest(text).map((pod) => staticPod(pod, { nodeName, source: "http", origin: url }));
    this.#text = text;
    take(pods);
  }
}
