#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

/** The file beside this one that holds the whole program (`kybern.ts`); its name tells its content. Set by the build. */
declare const KYBERN_PROGRAM: string;

type RunScript = (exports: object, require: NodeJS.Require, module: object, filename: string) => void;

const file = join(__dirname, KYBERN_PROGRAM);
const require = nodeModule.createRequire(file);
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };

// Reading and compiling the program is the largest part of a start, which it need not be twice. From Node 22 on Node keeps what it
// compiled. Before, it does so for nobody, and never for modules, only for scripts: that is why the program is one.
if (enableCompileCache === undefined) runCompiled(`${file}.${process.version}-${process.arch}`);
else {
  enableCompileCache();
  require(file);
}

/**
 * Runs the program with the code that `compiled` holds, where that is there; V8 ignores what another version made. With
 * `KYBERN_KEEP_COMPILED` set the file is written when the process ends: the build does that once, so that no program ever writes
 * beside itself on a machine that uses it.
 */
function runCompiled(compiled: string): void {
  const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
  // The build writes nothing but ASCII, and the function around the program: its five megabytes are neither decoded nor copied.
  const script = new Script(readFileSync(file, "latin1"), { filename: file, ...(cachedData && { cachedData }) });
  if (process.env.KYBERN_KEEP_COMPILED) process.once("exit", () => writeFileSync(compiled, script.createCachedData()));
  const run: RunScript = script.runInThisContext();
  const module = { exports: {} };
  run(module.exports, require, module, file);
}
