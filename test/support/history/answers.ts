/** How a call ended that was not answered as it is when nothing is wrong. Times are of one clock, in milliseconds. */
export interface Trouble {
  readonly client: string;
  readonly what: string;
  readonly at: number;
  readonly durationMs: number;
  /** 0 where no answer came; below 300 where a good answer came late. */
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

/** A time in which a client's server could neither hear nor answer: it was frozen, or its cable was pulled. */
export interface Silence {
  readonly client: string;
  readonly from: number;
  readonly until: number;
}

/** How late a server may say that it cannot do what it was asked, and HAProxy find out that a server has gone: twice as late as on a quiet machine. */
export const ANSWER_MAX_MS = 40_000;

/** A failure that servers may tell while something is wrong: upstream's words for it. */
interface Permitted {
  readonly code: number;
  readonly reason: string;
  readonly message: RegExp;
}

/** Reasons and words as upstream's servers pass them on. */
const PERMITTED: readonly Permitted[] = [
  // etcd cannot do it: no leader, too slow, being stopped, cut off.
  {
    code: 500,
    reason: "",
    message: /^etcdserver: (request timed out|leader changed|no leader|server stopped|rpc not supported)/,
  },
  { code: 500, reason: "", message: /^etcdserver: (mvcc: database space exceeded|too many requests|not ready)/ },
  { code: 500, reason: "", message: /^rpc error: code = (Unavailable|Canceled|Unknown) desc = / },
  { code: 500, reason: "", message: /^context deadline exceeded$/ },
  // The watch cache has not seen yet what a read must show.
  { code: 504, reason: "Timeout", message: /^Timeout: / },
  { code: 504, reason: "Timeout", message: /^Too large resource version/ },
  {
    code: 429,
    reason: "TooManyRequests",
    message: /^(storage is \(re\)initializing|Too many requests, please try again later\.)/,
  },
  { code: 503, reason: "ServiceUnavailable", message: /^(apiserver is shutting down|.*not (yet )?(ready|healthy))/ },
];

/**
 * What is wrong about how calls failed: a Status that nobody may get, or one that came late, or none at all for so long that the client
 * gave up, though nobody had silenced its server at that time.
 */
export function wrongAnswers(troubles: readonly Trouble[], silences: readonly Silence[]): readonly string[] {
  return troubles.flatMap((trouble) => {
    const { client, what, at, durationMs, code, reason, message } = trouble;
    const told = `${client}: ${what}: ${code} ${reason} ${message}, after ${Math.round(durationMs)} ms`;
    if (code >= 300 && !isPermitted(trouble)) return [`no client may get this answer: ${told}`];
    if (durationMs <= ANSWER_MAX_MS) return [];
    const isExcused = silences.some((one) => one.client === client && one.from <= at + durationMs && at <= one.until);
    return isExcused ? [] : [`too late: ${told}`];
  });
}

function isPermitted({ code, reason, message }: Trouble): boolean {
  return PERMITTED.some((one) => one.code === code && one.reason === reason && one.message.test(message));
}
