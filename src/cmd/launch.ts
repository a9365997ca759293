#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir, totalmem } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";
import { codeFolder, keepCode, keptCode, nameUnderOptions } from "./compiled-code.ts";
import { programCall } from "./program-call.ts";
import { roomForYoung } from "./room-for-young.ts";

/** The file beside this one that holds the whole program (`kybern.ts`); its name tells its content. Set by the build. */
declare const KYBERN_PROGRAM: string;

type RunScript = (exports: object, require: NodeJS.Require, module: object, filename: string) => void;

/** Who runs as long has compiled what a start needs. */
const WARM_SECONDS = 3;
const file = join(__dirname, KYBERN_PROGRAM);
const require = nodeModule.createRequire(file);
const { enableCompileCache } = nodeModule as { readonly enableCompileCache?: () => unknown };

const args = process.argv.slice(2);
// A container may use less than the machine has.
const memoryBytes = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
const youngMb = roomForYoung(programCall(process.argv[1] ?? "", args), memoryBytes);
if (youngMb === undefined) run();
// Few ask for it: others need not load what threads need.
else void import("./program-thread.ts").then(({ inThread }) => inThread({ file: __filename, args, youngMb, run }));

/**
 * Reading and compiling the program is the largest part of a start, which it need not be twice. From Node 22 on Node keeps what it
 * compiled. Before, it does so for nobody, and never for modules, only for scripts: that is why the program is one.
 */
function run(): void {
  if (enableCompileCache === undefined) runCompiled(`${KYBERN_PROGRAM}.${process.version}-${process.arch}`);
  else {
    enableCompileCache();
    require(file);
  }
}

/**
 * Runs the program with code that was compiled before, where there is some; V8 ignores what another version made, or itself with
 * other options, at no cost that can be measured. The build leaves it beside the program (`KYBERN_KEEP_COMPILED`), where no program
 * ever writes on a machine that uses it. An installed package has none, because it is for every version, and what the build leaves
 * is of no use to who gives V8 options: the first program that runs for a while keeps it in the user's folder for such.
 */
function runCompiled(common: string): void {
  const v8 = (): typeof import("node:v8") => require("node:v8");
  const name = nameUnderOptions(common, { execArgv: process.execArgv, env: process.env, tag: () => v8().cachedDataVersionTag() });
  const beside = join(__dirname, common);
  const built = existsSync(beside) ? readFileSync(beside) : undefined;
  const folder = built === undefined || name !== common ? codeFolder(process.env, homedir()) : undefined;
  const own = folder === undefined ? undefined : keptCode(join(folder, name), process.getuid?.() ?? -1);
  const cachedData = own ?? built;
  // The build writes nothing but ASCII, and the function around the program: its five megabytes are neither decoded nor copied.
  const script = new Script(readFileSync(file, "latin1"), { filename: file, ...(cachedData && { cachedData }) });
  if (process.env.KYBERN_KEEP_COMPILED) process.once("exit", () => writeFileSync(beside, script.createCachedData()));
  else if (folder !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once("exit", () => {
      if (process.uptime() > WARM_SECONDS) keepCode(folder, name, script.createCachedData());
    });
  }
  const program: RunScript = script.runInThisContext();
  const module = { exports: {} };
  program(module.exports, require, module, file);
}
