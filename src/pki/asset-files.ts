import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificatePair, SigningKeyPair } from "./key-pair.ts";

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
    const [cert, key] = await Promise.all([this.#read(`${name}.pem`), this.#read(`${name}-key.pem`)]);
    return cert === undefined || key === undefined ? undefined : { cert, key };
  }

  async writePair(name: string, pair: CertificatePair): Promise<void> {
    await Promise.all([this.#write(`${name}.pem`, pair.cert, 0o644), this.#write(`${name}-key.pem`, pair.key, 0o600)]);
  }

  async readSigningKeys(name: string): Promise<SigningKeyPair | undefined> {
    const [privateKey, publicKey] = await Promise.all([this.#read(`${name}-key.pem`), this.#read(`${name}.pub`)]);
    return privateKey === undefined || publicKey === undefined ? undefined : { privateKey, publicKey };
  }

  async writeSigningKeys(name: string, pair: SigningKeyPair): Promise<void> {
    await Promise.all([
      this.#write(`${name}-key.pem`, pair.privateKey, 0o600),
      this.#write(`${name}.pub`, pair.publicKey, 0o644),
    ]);
  }

  async #read(name: string): Promise<string | undefined> {
    if (this.#dir === undefined) return undefined;
    try {
      return await readFile(join(this.#dir, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #write(name: string, text: string, mode: number): Promise<void> {
    if (this.#dir !== undefined) await writeFile(join(this.#dir, name), text, { mode });
  }
}
