import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { decodeLogLine } from "#cri/log-line.ts";
import { TERMINATION_PATH_ANNOTATION, TERMINATION_POLICY_ANNOTATION } from "./labels.ts";

/** Longest message, in bytes; and what is taken of a log, in bytes and lines (upstream's `kubecontainer` limits). */
const MESSAGE_BYTES_MAX = 4096;
const LOG_BYTES_MAX = 2048;
const LOG_LINES_MAX = 80;
/** Times and tags make the lines of a log longer than what was said: so much of its end is looked at, in bytes. */
const LOG_TAIL_BYTES: number = 16 * 1024;

type Files = Pick<HostFiles, "open">;

/**
 * What a container that ended leaves behind (upstream's `getTerminationMessage`): the file that it was given for that, or the
 * end of its log after a failure where its policy says so. Empty for neither.
 */
export async function terminationMessage(status: ContainerStatus, files: Files): Promise<string> {
  const path = status.annotations[TERMINATION_PATH_ANNOTATION] ?? "";
  const policy = status.annotations[TERMINATION_POLICY_ANNOTATION] ?? "";
  const mount = path === "" ? undefined : status.mounts?.find(({ containerPath }) => containerPath === path);
  const left = mount === undefined ? "" : await messageIn(mount.hostPath, files);
  if (left !== "" || policy !== "FallbackToLogsOnError" || status.exitCode === 0) return left;
  const log = await tail(status.logPath, LOG_TAIL_BYTES, files).catch(() => Buffer.alloc(0));
  return endOfLog(log);
}

async function messageIn(path: string, files: Files): Promise<string> {
  try {
    return (await head(path, MESSAGE_BYTES_MAX, files)).toString("utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    return `Error on reading termination log ${path}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The last lines of what a container said, as much as a message may be long. */
export function endOfLog(log: Buffer): string {
  const lines: Buffer[] = [];
  for (const line of linesOf(log)) {
    const decoded = decodeLogLine(line);
    if (decoded === undefined) continue;
    lines.push(decoded.partial ? decoded.content : Buffer.concat([decoded.content, Buffer.from("\n")]));
  }
  return Buffer.concat(lines.slice(-LOG_LINES_MAX)).subarray(-LOG_BYTES_MAX).toString("utf8");
}

function* linesOf(log: Buffer): Generator<Buffer> {
  let from = 0;
  for (let end = log.indexOf(10); end >= 0; end = log.indexOf(10, from)) {
    yield log.subarray(from, end + 1);
    from = end + 1;
  }
}

async function head(path: string, bytes: number, files: Files): Promise<Buffer> {
  return read(path, files, () => 0, bytes);
}

async function tail(path: string, bytes: number, files: Files): Promise<Buffer> {
  return read(path, files, (size) => Math.max(0, size - bytes), bytes);
}

async function read(path: string, files: Files, from: (size: number) => number, bytes: number): Promise<Buffer> {
  const file = await files.open(path, "r");
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from(size));
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
