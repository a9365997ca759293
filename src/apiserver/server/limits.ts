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
