import { type ChildProcess, execFile, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { access, constants, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { StartupError } from "./startup-error.ts";

/** Longest time that a member may take to end before it is killed, in milliseconds. */
const STOP_MS = 5_000;
/** As much as etcd recommends at most: a large snapshot shall not raise an alarm. */
const QUOTA_BYTES = 8 * 1024 ** 3;
/** What is kept of the member's output, in characters. */
const OUTPUT_MAX = 2_000;

/** Runs a member until the pipe on its fourth descriptor is closed, as it is when this process ends, however that comes. */
const ENDS_WITH_US = 'etcd "$@" 3<&- & member=$!; { cat <&3; kill "$member"; } > /dev/null 2>&1 & exec 3<&-; wait "$member"';

/** An etcd of our own that holds a snapshot. */
export interface SnapshotMember {
  readonly url: string;
  /** Ends it. Its folder stays. */
  stop(): Promise<void>;
}

/**
 * Restores a snapshot of any cluster into a member of its own, which listens on this machine alone, by etcd's own programs: `etcdutl`,
 * or `etcdctl` before 3.6, and `etcd`. The file itself is only read. A copy of a member's `snap/db` will do.
 */
export async function startSnapshotMember(file: string, dir: string): Promise<SnapshotMember> {
  await access(file, constants.R_OK).catch(() => {
    throw new StartupError(`the snapshot ${file} cannot be read (--from-etcd-snapshot).`);
  });
  const data = join(dir, "member");
  await restore(file, data);
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    "sh",
    [
      ...["-c", ENDS_WITH_US, "sh"],
      ...["--data-dir", data, "--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", "http://127.0.0.1:0", "--quota-backend-bytes", String(QUOTA_BYTES), "--log-level", "error"],
    ],
    // Ctrl-C in a terminal is ours: the member ends after the API server.
    { stdio: ["ignore", "pipe", "pipe", "pipe"], env: environment(), detached: true },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output = (output + chunk).slice(-OUTPUT_MAX);
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      output += error.message;
      resolve();
    });
    child.once("exit", () => resolve());
  });
  let stopping = false;
  void exited.then(() => {
    if (!stopping) process.stderr.write(`kybern up: the etcd that holds the snapshot has ended: ${output.trim()}\n`);
  });
  process.once("exit", () => {
    kill(child);
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    url,
    stop: async () => {
      stopping = true;
      await end(child, exited);
    },
  };
}

/** Ends the member that the shell waits for. */
async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  const timer = setTimeout(() => kill(child), STOP_MS);
  (child.stdio[3] as Writable | null)?.end();
  await exited;
  clearTimeout(timer);
}

/** The whole group: the shell and the member. */
function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // They have ended already.
  }
}

/** Tries what there is. A file that is no snapshot as etcd saves it has no digest at its end. */
async function restore(file: string, data: string): Promise<void> {
  for (const program of ["etcdutl", "etcdctl"]) {
    const args = ["snapshot", "restore", file, "--data-dir", data];
    const failure = await run(program, args);
    if (failure === undefined) return;
    if (failure === "absent") continue;
    // It leaves a folder behind, and takes none that is there.
    await rm(data, { recursive: true, force: true });
    const again = /missing hash/.test(failure) ? await run(program, [...args, "--skip-hash-check=true"]) : failure;
    if (again === undefined) return;
    throw new StartupError(`${program} cannot restore the snapshot ${file}: ${again.split("\n").at(-1)}`);
  }
  throw new StartupError("--from-etcd-snapshot needs etcd's programs on the PATH: etcd, and etcdutl or etcdctl.");
}

/** What the program complained of; undefined when it was content. */
function run(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...args], { env: environment() }, (error, _stdout, stderr) => {
      if (error === null) resolve(undefined);
      else resolve((error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : stderr.trim() || error.message);
    });
  });
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ETCDCTL_API: "3", ETCD_UNSUPPORTED_ARCH: process.arch };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
