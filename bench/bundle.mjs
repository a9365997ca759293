// Programs of the bench that are TypeScript and measure parts of the tree: bundled beside the build, from where packages are found.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { ours, removeFolder, temporaryFolder } from "./leftovers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** How long a program of the bench may run, in milliseconds. */
const PROGRAM_TIMEOUT_MS = 600_000;

/** Bundles `bench/<name>.ts`. Gives its path, and what takes it away: it may go as soon as it was loaded. */
export async function bundle(name) {
  const dir = temporaryFolder("", join(root, "dist"));
  const remove = () => removeFolder(dir);
  const path = join(dir, `${name}.mjs`);
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [`bench/${name}.ts`],
      outfile: path,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20.19",
      conditions: ["source"],
      // With native parts or workers of their own.
      external: ["lmdb", "pino"],
      minifySyntax: true,
      minifyWhitespace: true,
      logLevel: "warning",
      define: { KYBERN_VERSION: JSON.stringify("v0.0.0") },
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
    });
  } catch (error) {
    remove();
    throw error;
  }
  return { path, remove };
}

/** Runs a program to its end and gives what it printed, as JSON. `within` are a program and its arguments that start it. */
export async function runProgram(path, args, within = []) {
  const [command, ...rest] = [...within, process.execPath, path, ...args.map(String)];
  const running = promisify(execFile)(command, rest, { timeout: PROGRAM_TIMEOUT_MS, killSignal: "SIGKILL" });
  ours(running.child);
  return JSON.parse((await running).stdout);
}
