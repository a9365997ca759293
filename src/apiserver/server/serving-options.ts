import { CONCURRENT_STREAMS_MAX, REQUEST_TIMEOUT_MS } from "./limits.ts";

/** How the server speaks with its clients: what upstream's flags say of it. */
export interface ServingOptions {
  /** Oldest version of TLS; upstream's `--tls-min-version`. */
  readonly tlsMinVersion: "TLSv1.2" | "TLSv1.3";
  /** Cipher suites by OpenSSL's names, with colons between; upstream's `--tls-cipher-suites`. Those of Node when empty. */
  readonly tlsCiphers: string;
  /** Streams of an HTTP/2 connection; upstream's `--http2-max-streams-per-connection`. */
  readonly streamsPerConnectionMax: number;
  /** How long a request that is no watch may take; upstream's `--request-timeout`. */
  readonly requestTimeoutMs: number;
  /** Shortest life of a watch whose client names none, in seconds; upstream's `--min-request-timeout`. For ever when 0. */
  readonly minRequestTimeoutSeconds: number;
  /** Seats of priority and fairness: upstream's `--max-requests-inflight` and `--max-mutating-requests-inflight`. */
  readonly seats: number;
  /** How long a server that is to stop goes on, unready; upstream's `--shutdown-delay-duration`. */
  readonly shutdownDelayMs: number;
  /** Whether a server that stops tells new requests so, as long as others are in progress; `--shutdown-send-retry-after`. */
  readonly shutdownSendRetryAfter: boolean;
  /** Part of the requests over HTTP/2 whose client is asked to connect anew; upstream's `--goaway-chance`. */
  readonly goawayChance: number;
  /** Value of the header `Strict-Transport-Security`; none when empty. */
  readonly strictTransportSecurity: string;
}

/** Upstream's defaults. */
export const DEFAULT_SERVING: ServingOptions = {
  tlsMinVersion: "TLSv1.2",
  tlsCiphers: "",
  streamsPerConnectionMax: CONCURRENT_STREAMS_MAX,
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  minRequestTimeoutSeconds: 1800,
  seats: 400 + 200,
  shutdownDelayMs: 0,
  shutdownSendRetryAfter: false,
  goawayChance: 0,
  strictTransportSecurity: "",
};
