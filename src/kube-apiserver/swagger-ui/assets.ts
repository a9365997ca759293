import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUNDLE = "swagger-ui-bundle.js";
/** Where a build puts the files of `swagger-ui-dist`, seen from its shared chunks and from its programs. */
const BUILT = ["./swagger-ui/", "../swagger-ui/"];

/** The files of Swagger UI, with their types. */
export const ASSET_TYPES: Readonly<Record<string, string>> = {
  [BUNDLE]: "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  LICENSE: "text/plain; charset=utf-8",
  NOTICE: "text/plain; charset=utf-8",
};

/** Reads files of Swagger UI once each, when a browser first asks: they are large, and few servers ever need them. */
export class SwaggerAssets {
  readonly #known = new Map<string, Promise<Uint8Array>>();
  readonly #folder: string;

  /** Throws when the files are not there, so that a server does not promise a page that it has not. */
  constructor() {
    this.#folder = assetFolder();
  }

  /** One of {@link ASSET_TYPES}. */
  read(name: string): Promise<Uint8Array> {
    let content = this.#known.get(name);
    if (content === undefined) {
      content = readFile(join(this.#folder, name));
      this.#known.set(name, content);
    }
    return content;
  }
}

/** Beside the program when it is built, otherwise in the package that they come from. */
function assetFolder(): string {
  for (const path of BUILT) {
    const folder = fileURLToPath(new URL(path, import.meta.url));
    if (existsSync(join(folder, BUNDLE))) return folder;
  }
  return dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
}
