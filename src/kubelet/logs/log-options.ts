import { parseTime } from "#apimachinery/meta/time.ts";
import type { LogStream } from "#cri/log-line.ts";

/** What of a log is wanted: `v1.PodLogOptions`, as a kubelet reads it off a query. */
export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Nothing that is older, in milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly streams: readonly LogStream[];
}

/** Why a query is none: a status and the message. */
export interface InvalidLogQuery {
  readonly status: 400 | 422;
  readonly message: string;
}

const UNDECODABLE: InvalidLogQuery = { status: 400, message: '{"message": "Unable to decode query."}' };
const INVALID: InvalidLogQuery = { status: 422, message: '{"message": "Invalid request."}' };
const STREAMS: Readonly<Record<string, readonly LogStream[]>> = {
  All: ["stdout", "stderr"],
  Stdout: ["stdout"],
  Stderr: ["stderr"],
};

/** Reads and checks a query (upstream's `getContainerLogs` and `ValidatePodLogOptions`). */
export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions | InvalidLogQuery {
  const number = (name: string): number | undefined | null => {
    const text = query.get(name) ?? "";
    if (text === "") return undefined;
    return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const flag = (name: string): boolean => query.has(name) && !["false", "0"].includes((query.get(name) ?? "").toLowerCase());
  const tail = query.get("tail");
  const tailLines = tail === "all" ? undefined : tail === null || tail === "" ? number("tailLines") : integer(tail);
  const [limitBytes, sinceSeconds] = [number("limitBytes"), number("sinceSeconds")];
  const sinceTime = query.get("sinceTime") ?? "";
  const sinceTimeMs = sinceTime === "" ? undefined : parseTime(sinceTime);
  if (tailLines === null || limitBytes === null || sinceSeconds === null) return UNDECODABLE;
  if (sinceTime !== "" && sinceTimeMs === undefined) return UNDECODABLE;
  const stream = query.get("stream") ?? "";
  const streams = STREAMS[stream === "" ? "All" : stream];
  const isBad =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (sinceSeconds !== undefined && (sinceSeconds < 1 || sinceTimeMs !== undefined)) ||
    streams === undefined ||
    (streams.length === 1 && tailLines !== undefined);
  if (isBad) return INVALID;
  return {
    follow: flag("follow"),
    previous: flag("previous"),
    timestamps: flag("timestamps"),
    sinceMs: sinceSeconds === undefined ? sinceTimeMs : nowMs - sinceSeconds * 1000,
    tailLines,
    limitBytes,
    streams,
  };
}

function integer(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
