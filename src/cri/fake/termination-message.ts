import type { MemoryLog } from "./memory-log.ts";

/** On a container: where it leaves its last word, and whether its log stands in for it. Set by the kubelet, as upstream's. */
export const TERMINATION_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath";
export const TERMINATION_POLICY_ANNOTATION = "io.kubernetes.container.terminationMessagePolicy";

/** Longest message, in bytes; and what is taken of a log, in bytes and lines (upstream's `kubecontainer` limits). */
const MESSAGE_BYTES_MAX = 4096;
const LOG_BYTES_MAX = 2048;
const LOG_LINES_MAX = 80;

/** What a container that ended leaves behind: its file, or the end of its log after a failure where the policy says so. */
export function terminationMessage(
  annotations: Readonly<Record<string, string>>,
  exitCode: number,
  read: (path: string) => Buffer | undefined,
  log: MemoryLog,
): string {
  const path = annotations[TERMINATION_PATH_ANNOTATION] ?? "";
  const left = path === "" ? undefined : read(path);
  if (left !== undefined && left.length > 0) return left.toString("utf8", 0, MESSAGE_BYTES_MAX);
  if (annotations[TERMINATION_POLICY_ANNOTATION] !== "FallbackToLogsOnError" || exitCode === 0) return "";
  const text = log.lastLines(LOG_LINES_MAX);
  return Buffer.from(text).subarray(-LOG_BYTES_MAX).toString("utf8");
}
