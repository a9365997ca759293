import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const DIGEST_BYTES = 32;
/** Others may neither read nor write. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;

/** Where a user's programs keep what they can make again; undefined where nothing is to be kept. */
export function codeFolder(env: NodeJS.ProcessEnv, home: string): string | undefined {
  // What newer versions of Node heed.
  if ((env.NODE_DISABLE_COMPILE_CACHE ?? "") !== "") return undefined;
  const { XDG_CACHE_HOME: wanted = "" } = env;
  return join(wanted.startsWith("/") ? wanted : join(home, ".cache"), "kybern");
}

/**
 * What compiled code is called that was made under the options that Node was started with. V8 refuses what was made under others of
 * its own: where there may be such, the name has the tag by which V8 tells what it wants (`cachedDataVersionTag`), which is asked
 * for then alone.
 */
export function nameUnderOptions(
  name: string,
  { execArgv, env, tag }: { readonly execArgv: readonly string[]; readonly env: NodeJS.ProcessEnv; readonly tag: () => number },
): string {
  return execArgv.length === 0 && (env.NODE_OPTIONS ?? "") === "" ? name : `${name}-${tag()}`;
}

/**
 * Compiled code as {@link keepCode} left it; undefined where there is none that can be trusted. V8 knows code of another version, but
 * not damaged code, by which it falls: hence the digest. Code of a file that others could have written is not run.
 */
export function keptCode(path: string, user: number): Buffer | undefined {
  try {
    const { uid, mode } = statSync(path);
    if (uid !== user || (mode & WRITABLE_BY_OTHERS) !== 0) return undefined;
    const content = readFileSync(path);
    const code = content.subarray(DIGEST_BYTES);
    return digest(code).equals(content.subarray(0, DIGEST_BYTES)) ? code : undefined;
  } catch {
    // There is none yet.
    return undefined;
  }
}

/** Keeps code for later starts, whole or not at all, and no other: what other versions left is taken away. */
export function keepCode(folder: string, name: string, code: Buffer): void {
  const unfinished = join(folder, `${name}.${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    writeFileSync(unfinished, Buffer.concat([digest(code), code]), { mode: FILE_MODE });
    for (const other of readdirSync(folder)) if (other !== `${name}.${process.pid}`) rmSync(join(folder, other));
    renameSync(unfinished, join(folder, name));
  } catch {
    // Later starts take longer: a full disk or a home that cannot be written is no reason to fail.
  }
}

function digest(code: Buffer): Buffer {
  return createHash("sha256").update(code).digest();
}
