import { DEFAULT_SERVING, type ServingOptions } from "#apiserver/server/serving-options.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { count, durationMs, list, text, toggle } from "./flag-specs.ts";

type ServingFlagTypes = {
  readonly "tls-min-version": "string";
  readonly "tls-cipher-suites": "strings";
  readonly "http2-max-streams-per-connection": "int";
  readonly "max-requests-inflight": "int";
  readonly "max-mutating-requests-inflight": "int";
  readonly "request-timeout": "string";
  readonly "min-request-timeout": "int";
  readonly "shutdown-delay-duration": "string";
  readonly "shutdown-send-retry-after": "bool";
  readonly "goaway-chance": "string";
  readonly "strict-transport-security-directives": "strings";
  readonly profiling: "bool";
};

/** Upstream's flags for how the API server speaks with its clients. */
export const servingFlags: { readonly [N in keyof ServingFlagTypes]: FlagSpec<ServingFlagTypes[N]> } = {
  "tls-min-version": text("VERSION", "Oldest TLS that is spoken: VersionTLS12 or VersionTLS13.", "VersionTLS12"),
  "tls-cipher-suites": list("NAMES", "Cipher suites of TLS 1.2 and 1.3, by their names at IANA; safe ones when empty."),
  "http2-max-streams-per-connection": count("Requests at once on one HTTP/2 connection; 0 for 250.", 1000),
  "max-requests-inflight": count("Together with the next: what may be worked on at once.", 400),
  "max-mutating-requests-inflight": count("Together with the former: what may be worked on at once.", 200),
  "request-timeout": text("DURATION", "How long a request may take that is no watch.", "1m0s"),
  "min-request-timeout": count("Seconds that a watch lives at least; up to twice as long.", 1800),
  "shutdown-delay-duration": text("DURATION", "How long the server goes on, unready, when it is to stop.", "0s"),
  "shutdown-send-retry-after": toggle("Tell new requests to come again while those in progress end."),
  "goaway-chance": text("PART", "Part of the requests over HTTP/2 whose client is told to connect anew, up to 0.02.", "0"),
  "strict-transport-security-directives": list(
    "DIRECTIVES",
    "What browsers are told: max-age=SECONDS, includeSubDomains, preload.",
  ),
  profiling: toggle("Serve profiles at /debug/pprof/.", true),
};

/** Go's names of the cipher suites that are safe, and OpenSSL's. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_AES_128_GCM_SHA256: "TLS_AES_128_GCM_SHA256",
  TLS_AES_256_GCM_SHA384: "TLS_AES_256_GCM_SHA384",
  TLS_CHACHA20_POLY1305_SHA256: "TLS_CHACHA20_POLY1305_SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
};
/** Those of TLS 1.3, which Go speaks whatever is asked for. */
const TLS13 = Object.keys(CIPHERS).slice(0, 3);
const TLS_VERSIONS: Readonly<Record<string, ServingOptions["tlsMinVersion"]>> = {
  VersionTLS12: "TLSv1.2",
  VersionTLS13: "TLSv1.3",
};
const GOAWAY_CHANCE_MAX = 0.02;
/** What Go takes where nothing is said. */
const GO_STREAMS = 250;
const DIRECTIVE = /^(includeSubDomains|preload|max-age=[^=]*)$/;

type ServingFlags = ParsedFlags<typeof servingFlags>;

/** The flags as options. Throws a {@link FlagError} for values that make no sense. */
export function servingOptions(flags: ServingFlags): ServingOptions {
  const tlsMinVersion = TLS_VERSIONS[flags["tls-min-version"]];
  if (tlsMinVersion === undefined) {
    throw new FlagError(
      `flag --tls-min-version takes ${Object.keys(TLS_VERSIONS).join(" or ")}, not "${flags["tls-min-version"]}"`,
    );
  }
  const seats = flags["max-requests-inflight"] + flags["max-mutating-requests-inflight"];
  if (seats === 0)
    throw new FlagError("flags --max-requests-inflight and --max-mutating-requests-inflight let nothing be worked on");
  return {
    tlsMinVersion,
    tlsCiphers: ciphersOf(flags["tls-cipher-suites"]),
    streamsPerConnectionMax: flags["http2-max-streams-per-connection"] || GO_STREAMS,
    requestTimeoutMs: positiveMs(flags, "request-timeout") || DEFAULT_SERVING.requestTimeoutMs,
    minRequestTimeoutSeconds: flags["min-request-timeout"],
    seats,
    shutdownDelayMs: positiveMs(flags, "shutdown-delay-duration"),
    shutdownSendRetryAfter: flags["shutdown-send-retry-after"],
    goawayChance: goawayChance(flags["goaway-chance"]),
    strictTransportSecurity: directives(flags["strict-transport-security-directives"]),
  };
}

/** OpenSSL's names of cipher suites, with colons between them; empty for none. Throws a {@link FlagError} for what Go does not know. */
export function ciphersOf(names: readonly string[]): string {
  if (names.length === 0) return "";
  const unknown = names.find((name) => !Object.hasOwn(CIPHERS, name));
  if (unknown !== undefined) {
    throw new FlagError(`flag --tls-cipher-suites takes ${Object.keys(CIPHERS).join(", ")}, not "${unknown}"`);
  }
  return [...new Set([...TLS13, ...names].map((name) => CIPHERS[name]))].join(":");
}

function positiveMs(flags: ServingFlags, name: "request-timeout" | "shutdown-delay-duration"): number {
  const ms = durationMs(name, flags[name]);
  if (ms < 0) throw new FlagError(`flag --${name} takes no negative duration`);
  return ms;
}

function goawayChance(value: string): number {
  const chance = value.trim() === "" ? Number.NaN : Number(value);
  if (chance >= 0 && chance <= GOAWAY_CHANCE_MAX) return chance;
  throw new FlagError(`flag --goaway-chance takes a number from 0 to ${GOAWAY_CHANCE_MAX}, not "${value}"`);
}

function directives(given: readonly string[]): string {
  const unknown = given.find((directive) => !DIRECTIVE.test(directive));
  if (unknown === undefined) return given.join("; ");
  throw new FlagError(
    `flag --strict-transport-security-directives takes max-age=SECONDS, includeSubDomains and preload, not "${unknown}"`,
  );
}
