// Starts `two-api-servers.ts` as a process of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const nodeArgs = (process.env.KYBERN_NODE_ARGS ?? "").split(" ").filter((arg) => arg !== "");

/** Gives both servers as `{ pid, port, ca, cert, key }`: the open one, then the one that asks. */
export async function startTwoServers(args) {
  // Beside the build, from where packages are found.
  const dir = mkdtempSync(join(root, "dist/.bench-"));
  const outfile = join(dir, "two-api-servers.mjs");
  await build({
    absWorkingDir: root,
    entryPoints: ["bench/two-api-servers.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    conditions: ["source"],
    external: ["lmdb", "koffi", "pino"],
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: "warning",
    define: { KYBERN_VERSION: JSON.stringify("v0.0.0") },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  const child = spawn(process.execPath, [...nodeArgs, outfile, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const said = createInterface({ input: child.stdout });
  const line = await Promise.race([new Promise((resolve) => said.once("line", resolve)), exited]);
  rmSync(dir, { recursive: true, force: true });
  if (typeof line !== "string") throw new Error(`the servers ended with ${line}`);
  const { ports, ...credentials } = JSON.parse(line);
  return {
    servers: ports.map((port) => ({ pid: child.pid, port, ...credentials })),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
