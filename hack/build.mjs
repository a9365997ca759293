// Builds dist/: the program as one script with its compiled code, and envtest as modules. `--if-needed` does nothing when dist/ is newer than the sources.
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "dist/.built");

/** Newest modification time, in milliseconds, of the files under `path`. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isFresh() {
  try {
    const built = statSync(stamp).mtimeMs;
    return ["src", "package.json", "package-lock.json", "hack/build.mjs"].every((path) => newest(join(root, path)) <= built);
  } catch {
    return false;
  }
}

/** Packages with native parts or workers, which must stay files of their own. */
const EXTERNAL = ["lmdb", "koffi", "pino"];

const JAVASCRIPT_REQUIRE = {
  js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
};

async function build() {
  const esbuild = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const define = { KYBERN_VERSION: JSON.stringify(version) };
  const common = {
    absWorkingDir: root,
    outdir: "dist",
    bundle: true,
    platform: "node",
    target: "node20.19",
    conditions: ["source"],
    external: EXTERNAL,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    logLevel: "warning",
    define,
  };
  rmSync(join(root, "dist"), { recursive: true, force: true });
  const modules = { ...common, splitting: true, format: "esm", chunkNames: "envtest/[name]-[hash]", banner: JAVASCRIPT_REQUIRE };
  await esbuild.build({ ...modules, entryPoints: { "envtest/envtest": "src/envtest/envtest.ts" } });
  const program = await buildProgram(esbuild, common);
  // No module: what loads modules would have to be loaded first.
  const launcher = { ...common, format: "cjs", define: { KYBERN_PROGRAM: JSON.stringify(program) } };
  await esbuild.build({ ...launcher, entryPoints: { "cmd/kybern": "src/cmd/launch.ts" } });
  writeFileSync(join(root, "dist/cmd/package.json"), '{ "type": "commonjs" }\n');
  // Links to it, named as Kubernetes' own programs, start those.
  chmodSync(join(root, "dist/cmd/kybern.js"), 0o755);
  copySwaggerUi();
  await keepCompiled(program);
  writeFileSync(stamp, "");
}

/**
 * The program is a function. As a script its file gives that function, which `src/cmd/launch.ts` calls; as a module it is called at once.
 * LMDB's JavaScript is a function beside it.
 */
const AS_FUNCTION = `(typeof module === "undefined" ? (run) => run : (run) => run(exports, require, module, __filename))(
((__lmdb) => function (exports, require, module, __filename) {
const __moduleUrl = require("node:url").pathToFileURL(__filename).href;`;

/** Where the program asks for LMDB it gets what {@link buildLmdb} makes. */
const LMDB_BESIDE = {
  name: "lmdb-beside",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^lmdb$/ }, () => ({ path: "lmdb", namespace: "beside" }));
    onLoad({ filter: /^lmdb$/, namespace: "beside" }, () => ({ contents: "__lmdb(exports, require, module);" }));
  },
};

/**
 * LMDB's JavaScript as the text of a function, as Node makes one of each file: its nine files are then found, read and compiled
 * with the program. It does not come into the program itself, whose names an `eval` in it would make V8 look up one by one; for that
 * `eval` names and statements stay as they are. Its native part stays in its package, and what it looks for it looks for there.
 * MessagePack, in which the store writes nothing, goes without native code.
 */
async function buildLmdb(esbuild, common) {
  const { outputFiles } = await esbuild.build({
    ...common,
    entryPoints: [join(root, "node_modules/lmdb/dist/index.cjs")],
    external: [],
    alias: { msgpackr: join(root, "node_modules/msgpackr/dist/index.js") },
    format: "cjs",
    minifySyntax: false,
    write: false,
    define: { __filename: "__lmdbFile" },
  });
  return `function (exports, require, module) { "use strict"; const __lmdbFile = require.resolve("lmdb");\n${outputFiles[0].text}\n}`;
}

/**
 * The program as one script with everything that it loads, at once or later: `src/cmd/launch.ts` says why. Resolves with the file's
 * name, which changes with its content.
 */
async function buildProgram(esbuild, common) {
  const lmdb = await buildLmdb(esbuild, common);
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: { "cmd/program": "src/cmd/kybern.ts" },
    entryNames: "[dir]/[name]-[hash]",
    external: EXTERNAL.filter((name) => name !== "lmdb"),
    plugins: [LMDB_BESIDE],
    format: "cjs",
    charset: "ascii",
    outExtension: { ".js": ".cjs" },
    supported: { "dynamic-import": false },
    define: { ...common.define, "import.meta.url": "__moduleUrl" },
    banner: { js: AS_FUNCTION },
    footer: { js: `})(${lmdb}))` },
    metafile: true,
  });
  const [path] = Object.keys(metafile.outputs);
  if (readFileSync(join(root, path)).some((byte) => byte > 0x7f))
    throw new Error(`${path} is more than ASCII, as which it is read`);
  return basename(path);
}

/** How long a cluster is let run whose compiled code is kept, and how long it may take to come up. */
const WARM_MS = 500;
const COME_UP_MS = 60_000;
/** How much of what it says is shown when that fails, in characters. */
const SAID_MAX = 2_000;

/**
 * Starts a cluster once, so that the next ones find its code compiled (for versions of Node that do not keep it themselves). Without
 * that code the program starts more slowly, and does all else: that it could not be kept is said, and fails no build.
 */
async function keepCompiled(program) {
  if (nodeModule.enableCompileCache !== undefined) return;
  const dir = mkdtempSync(join(tmpdir(), "kybern-build-"));
  const flags = ["--data-dir", dir, "--secure-port", "0", "--nodes", "1", "--node-runtime", "simulated"];
  const child = spawn(process.execPath, [join(root, "dist/cmd/kybern.js"), "up", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, KYBERN_KEEP_COMPILED: "1" },
  });
  const tooLate = setTimeout(() => child.kill("SIGKILL"), COME_UP_MS);
  child.stdout.once("data", () => setTimeout(() => child.kill("SIGTERM"), WARM_MS));
  child.stdout.resume();
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + chunk).slice(-SAID_MAX);
  });
  const [code, signal] = await new Promise((resolve) => child.once("close", (...end) => resolve(end)));
  clearTimeout(tooLate);
  rmSync(dir, { recursive: true, force: true });
  if (existsSync(join(root, `dist/cmd/${program}.${process.version}-${process.arch}`))) return;
  const end = signal === null ? `exit code ${code}` : signal;
  console.error(`The program's compiled code could not be kept (${end}): it will start more slowly.\n${said}`);
}

/** What `--enable-swagger-ui` serves comes along, so that nobody who installs the package runs an installer of another. */
function copySwaggerUi() {
  const to = join(root, "dist/swagger-ui");
  mkdirSync(to);
  for (const name of ["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE"]) {
    cpSync(join(root, "node_modules/swagger-ui-dist", name), join(to, name));
  }
}

if (!(process.argv.includes("--if-needed") && isFresh())) {
  const started = performance.now();
  await build();
  console.log(`Built dist/ in ${Math.round(performance.now() - started)} ms.`);
}
