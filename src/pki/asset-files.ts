import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificatePair } from "./key-pair.ts";

/** Readable and writable by the owner alone. */
const OWNER_ONLY = 0o600;

/** Where assets are kept between runs. Without a folder nothing is kept. */
export class AssetFiles {
  readonly #dir: string | undefined;
  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  async prepare(): Promise<void> {
    if (this.#dir !== undefined) await mkdir(this.#dir, { recursive: true, mode: 0o700 });
  }

  async readPair(name: string): Promise<CertificatePair | undefined> {
    const [cert, key] = await Promise.all([this.read(`${name}.pem`), this.read(`${name}-key.pem`)]);
    return cert === undefined || key === undefined ? undefined : { cert, key };
  }

  /** The names of all files that are there, in no order. */
  async names(): Promise<readonly string[]> {
    if (this.#dir === undefined) return [];
    try {
      return await readdir(this.#dir);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  /** The names of all pairs that are there, in no order. */
  async pairs(): Promise<readonly string[]> {
    const names = await this.names();
    const keys = names.filter((name) => name.endsWith("-key.pem")).map((name) => name.slice(0, -"-key.pem".length));
    return keys.filter((name) => names.includes(`${name}.pem`));
  }

  async writePair(name: string, pair: CertificatePair): Promise<void> {
    await this.write(`${name}-key.pem`, pair.key);
    await this.write(`${name}.pem`, pair.cert);
  }

  async read(name: string): Promise<string | undefined> {
    if (this.#dir === undefined) return undefined;
    try {
      return await readFile(join(this.#dir, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Removes a pair. What is not there need not be removed. */
  async remove(name: string): Promise<void> {
    if (this.#dir === undefined) return;
    for (const file of [`${name}.pem`, `${name}-key.pem`]) await rm(join(this.#dir, file), { force: true });
  }

  /** The file is there whole or not at all. */
  async write(name: string, text: string): Promise<void> {
    if (this.#dir === undefined) return;
    const path = join(this.#dir, name);
    await writeFile(`${path}.tmp`, text, { mode: OWNER_ONLY });
    await rename(`${path}.tmp`, path);
  }
}
