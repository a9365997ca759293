// Bundles fuzz targets for jsfuzz: one CommonJS file each, with its own counters of what ran.
//
// jsfuzz would instrument the whole bundle at each start with a parser that knows no private fields, and would add up every counter
// after each input. So the modules are lowered and instrumented here, each once for all targets, and `jsfuzz-entry.ts` adds up.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const require = createRequire(import.meta.url);
/** The instrumenter that jsfuzz itself uses. */
const { createInstrumenter } = createRequire(require.resolve("jsfuzz/build/src/fuzzer.js"))("istanbul-lib-instrument");

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Where bundles, grown corpora and crashes are kept. */
export const CACHE = join(root, "node_modules/.cache/kybern-fuzz");

/** The youngest that the instrumenter's parser takes. */
const LOWERED = { target: "es2018", supported: { bigint: false } };
/** What takes input: our own code but for its tables, and the YAML parser. */
const COUNTED =
  /(\/src\/(base\/wire|apimachinery|apiserver|apiextensions-|component-|client|kube-|pki).*\.ts|node_modules\/js-yaml\/.*\.m?js)$/;

const instrumenter = createInstrumenter({ compact: true, esModules: true, coverageVariable: "__kybern_coverage__" });
const instrumented = new Map();

async function loadInstrumented(path) {
  const found = instrumented.get(path);
  if (found !== undefined) return found;
  const loader = path.endsWith(".ts") ? "ts" : "js";
  const { code } = await transform(readFileSync(path, "utf8"), { loader, format: "esm", logLevel: "silent", ...LOWERED });
  const contents = instrumenter.instrumentSync(code, relative(root, path));
  instrumented.set(path, contents);
  return contents;
}

const counting = {
  name: "counting",
  setup({ onLoad }) {
    onLoad({ filter: COUNTED }, async ({ path }) => ({ contents: await loadInstrumented(path), loader: "js" }));
  },
};

/** Bundles a target; resolves with the file that jsfuzz is given. */
export async function bundleTarget(name) {
  const outfile = join(CACHE, "targets", `${name}.bundle.cjs`);
  mkdirSync(dirname(outfile), { recursive: true });
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `export { fuzz, seeds } from "./test/fuzz/jsfuzz-entry.ts"; import { setTarget } from "./test/fuzz/jsfuzz-entry.ts"; import { target } from "./test/fuzz/targets/${name}.ts"; setTarget(target);`,
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    conditions: ["source"],
    external: ["lmdb", "pino"],
    plugins: [counting],
    logLevel: "error",
    logOverride: { "unsupported-bigint": "silent", "empty-import-meta": "silent", bigint: "silent" },
    ...LOWERED,
  });
  const loader = join(CACHE, "targets", `${name}.js`);
  // jsfuzz's hook instruments what is required; compiling the bundle ourselves passes it by.
  writeFileSync(
    loader,
    `const { readFileSync } = require("node:fs"); const Module = require("node:module"); const path = ${JSON.stringify(outfile)};
const bundle = new Module(path, module); bundle.filename = path; bundle.paths = module.paths;
bundle._compile(readFileSync(path, "utf8"), path); module.exports = bundle.exports;\n`,
  );
  return loader;
}
