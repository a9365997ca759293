import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism, networkInterfaces } from "node:os";
import type { ProxyHost, RunResult } from "#kube-proxy/host.ts";

/** The longest output that is kept, in bytes: lists of connections are long. */
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/** How long one of the tools may take, in milliseconds. */
const RUN_TIMEOUT_MS = 120_000;
/** Where the tools are; services are often started with less. */
const TOOL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** This machine. */
export const proxyHost: ProxyHost = {
  run: runProgram,
  readSetting: (path) => readIfThere(`/proc/sys/${path}`),
  writeSetting: (path, value) => writeFile(`/proc/sys/${path}`, value),
  readModuleParameter: (path) => readIfThere(`/sys/module/${path}`),
  writeModuleParameter: (path, value) => writeFile(`/sys/module/${path}`, value),
  localAddresses: () =>
    Object.entries(networkInterfaces()).flatMap(([interfaceName, addresses = []]) =>
      addresses.map(({ address }) => ({ interfaceName, address })),
    ),
  processors: availableParallelism(),
};

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Not every kernel has every setting, and not everybody may read them.
    return undefined;
  }
}

function runProgram(program: string, args: readonly string[], input = ""): Promise<RunResult> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: [process.env.PATH, TOOL_PATH].filter(Boolean).join(":"), LC_ALL: "C" };
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env, timeout: RUN_TIMEOUT_MS });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    let size = 0;
    const keep = (parts: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= OUTPUT_BYTES_MAX) parts.push(chunk);
      else child.kill();
    };
    child.stdout.on("data", keep(stdout));
    child.stderr.on("data", keep(stderr));
    // A program that ends before it has read everything says why by itself.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", (error: NodeJS.ErrnoException) => {
      resolve({ code: error.code === "ENOENT" ? 127 : -1, stdout: "", stderr: error.message });
    });
    child.once("close", (code) => {
      const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString("utf8");
      resolve({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}
