import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** One source file and what it imports, as paths from src/ (`client/informer.ts`), with the text of each import. */
export interface SourceFile {
  readonly path: string;
  readonly component: string;
  readonly text: string;
  readonly imports: readonly { readonly specifier: string; readonly target: string | undefined; readonly typeOnly: boolean }[];
}

const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/gm;

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : path.endsWith(".ts") ? [path] : [];
  });
}

function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return specifier.slice(1);
  if (specifier.startsWith(".")) return relative(join(root, "src"), join(dirname(from), specifier));
  return undefined;
}

/** Every TypeScript file under src/, read once. */
export function readSourceTree(): readonly SourceFile[] {
  const src = join(root, "src");
  return filesUnder(src).map((file) => {
    const text = readFileSync(file, "utf8");
    const path = relative(src, file);
    const imports = [...text.matchAll(IMPORT)].map((match) => {
      const specifier = match[2] ?? match[3] ?? match[4] ?? "";
      return { specifier, target: resolveImport(file, specifier), typeOnly: match[1] !== undefined };
    });
    return { path, component: path.split("/")[0] ?? "", text, imports };
  });
}
