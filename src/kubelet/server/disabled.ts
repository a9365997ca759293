import type { KubeletConfiguration } from "../configuration/kubelet-configuration.ts";
import { sendText } from "./answer.ts";
import type { KubeletRoute } from "./routes.ts";

/** Paths that `enableDebuggingHandlers: false` closes (upstream's `InstallDebuggingDisabledHandlers`). */
const DEBUGGING = ["/run/", "/exec/", "/attach/", "/portForward/", "/containerLogs/", "/runningpods/", "/debug/pprof/", "/logs/"];

/** What is answered, with 405, where the configuration closes a path; undefined where it does not. */
export function disabledAnswer(path: string, configuration: KubeletConfiguration | undefined): string | undefined {
  if (configuration === undefined) return undefined;
  if (!configuration.enableDebuggingHandlers && DEBUGGING.some((prefix) => path.startsWith(prefix)))
    return "Debug endpoints are disabled.\n";
  if (!configuration.enableSystemLogHandler && /^\/logs(\/|$)/.test(path)) return "logs endpoint is disabled.\n";
  if (!configuration.enableProfilingHandler && path.startsWith("/debug/pprof/")) return "profiling endpoint is disabled.\n";
  return undefined;
}

/** Those paths on the port that only reads, where they are closed in any case. */
export const disabledRoutes: readonly KubeletRoute[] = DEBUGGING.map((prefix) => ({
  path: `${prefix}{rest:*}`,
  methods: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"],
  serve: async ({ response }) => sendText(response, 405, "Debug endpoints are disabled.\n"),
}));
