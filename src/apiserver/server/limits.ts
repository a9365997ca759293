/** Largest request body in bytes, as upstream's `--max-request-bytes` default. */
export const REQUEST_BODY_BYTES_MAX: number = 3 * 1024 * 1024;

/** Largest head of a request in bytes, as Go's `DefaultMaxHeaderBytes`: selectors of many names are long. */
export const HEADER_BYTES_MAX: number = 1024 * 1024;

/** Requests in progress at once, watches not counted; more are answered 429. */
export const REQUESTS_IN_FLIGHT_MAX = 4000;

/** Streams (watches, requests) on one HTTP/2 connection. */
export const CONCURRENT_STREAMS_MAX = 1000;

/** Memory that one HTTP/2 connection may hold, in MB; Node's default of 10 ends connections with concurrent lists. */
export const SESSION_MEMORY_MB_MAX = 1000;

/** How long a request that is no watch may take, as upstream's `--request-timeout`. */
export const REQUEST_TIMEOUT_MS = 60_000;

/** How long a stopping server waits for the answers in progress. */
export const DRAIN_TIMEOUT_MS = 2_000;

/** Answers larger than this are compressed for clients that ask for it, as upstream's `defaultGzipThresholdBytes`. */
export const GZIP_THRESHOLD_BYTES: number = 128 * 1024;

/** Answers larger than this keep their request's place until the client has taken them. Smaller ones fit into what connections buffer. */
export const LARGE_ANSWER_BYTES: number = 64 * 1024;

/** How long a connection may be open without a request, as upstream's `IdleTimeout`. */
export const IDLE_CONNECTION_MS = 90_000;

/** How long a TLS handshake, and the head of a request over HTTP/1.1, may take, as upstream's `ReadHeaderTimeout`. */
export const HEAD_TIMEOUT_MS = 32_000;

/** Connections at once; further ones are closed. Each node keeps one or two, and a machine has more descriptors. */
export const CONNECTIONS_MAX = 20_000;

/**
 * Pings, settings and requests taken back that end an HTTP/2 connection when they come at once; and how many of them each
 * second are forgotten. A client that ends all its watches takes back {@link CONCURRENT_STREAMS_MAX} at most.
 */
export const COSTLY_FRAMES_MAX = 1000;
export const COSTLY_FRAMES_PER_SECOND = 33;
