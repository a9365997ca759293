import { badRequest } from "#apimachinery/api-errors/errors.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import type { RequestInfo } from "../request/request-info.ts";

/** What may go on for as long as the client likes (upstream's long-running check). */
const LONG_RUNNING_SUBRESOURCES: ReadonlySet<string> = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Profiles take as long as who asks for them says. */
const PROFILES = "/debug/pprof/";

/** Whether a request is a stream or a profile, which `timeout` says nothing about. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.isResourceRequest ? isStream(info) : info.path.startsWith(PROFILES);
}

function isStream({ verb, subresource }: RequestInfo): boolean {
  return verb === "watch" || verb === "proxy" || LONG_RUNNING_SUBRESOURCES.has(subresource);
}

/** Whether what the client sends goes on to a node, a pod or a service as it comes. */
export function isConnection(info: RequestInfo): boolean {
  return info.isResourceRequest && isStream(info) && info.verb !== "watch" && info.subresource !== "log";
}

/**
 * How long a request may take: what its `timeout` says, or `maximumMs`, which is never exceeded. Throws 400 for what is no
 * duration. After upstream's `WithRequestDeadline`.
 */
export function requestTimeoutMs(query: URLSearchParams, maximumMs: number): number {
  const text = query.get("timeout") ?? "";
  if (text === "") return maximumMs;
  let wanted: number;
  try {
    wanted = parseGoDuration(text);
  } catch (error) {
    throw badRequest(`invalid timeout specified in the request URL - ${error instanceof Error ? error.message : String(error)}`);
  }
  return wanted > 0 && wanted < maximumMs ? wanted : maximumMs;
}
