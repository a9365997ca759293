// Builds dist/: one bundle per program with shared chunks. `--if-needed` does nothing when dist/ is newer than the sources.
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

async function build() {
  const { build: bundle } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  rmSync(join(root, "dist"), { recursive: true, force: true });
  await bundle({
    absWorkingDir: root,
    entryPoints: { "cmd/kybern": "src/cmd/kybern.ts", "envtest/envtest": "src/envtest/envtest.ts" },
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    conditions: ["source"],
    external: EXTERNAL,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    logLevel: "warning",
    define: { KYBERN_VERSION: JSON.stringify(version) },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  // Links to it, named as Kubernetes' own programs, start those.
  chmodSync(join(root, "dist/cmd/kybern.js"), 0o755);
  copySwaggerUi();
  writeFileSync(stamp, "");
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
