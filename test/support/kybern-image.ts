import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const maker = fileURLToPath(new URL("../../hack/image.mjs", import.meta.url));

/** What was made in this process, by names. */
const made = new Map<string, Buffer>();

/** As {@link makeKybernImage}, made once by a process. */
export function kybernImage(...names: readonly string[]): Buffer {
  const key = names.join(" ");
  const archive = made.get(key) ?? makeKybernImage(...names).archive;
  made.set(key, archive);
  return archive;
}

/** Kybern's image as `npm run image` makes it, under these names: the archive, and what was printed. */
export function makeKybernImage(...names: readonly string[]): { readonly archive: Buffer; readonly output: string } {
  const dir = mkdtempSync(join(tmpdir(), "kybern-image-"));
  try {
    const path = join(dir, "kybern.tar");
    const tags = names.map((name) => `--tag=${name}`);
    const output = execFileSync(process.execPath, [maker, "--if-needed", `--output=${path}`, ...tags], { encoding: "utf8" });
    return { archive: readFileSync(path), output };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
