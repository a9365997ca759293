import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "#base/clock.ts";
import { errnoOf, type HostFiles } from "#base/host-files.ts";
import type { CertificatePair } from "#pki/key-pair.ts";

/** Readable and writable by the owner alone. */
const OWNER_ONLY = 0o600;
const FOLDER_MODE = 0o755;
/** Pairs of the past that are kept beside the current one; upstream keeps all. */
const KEPT_MAX = 5;

/** Where a {@link CertificateStore} keeps its files. */
export interface CertificateStoreOptions {
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly dir: string;
  /** `kubelet-client`, `kubelet-server`. */
  readonly name: string;
}

/**
 * A certificate with its key in one file, kept as upstream's `certificate.FileStore` does: `NAME-<time>.pem`, with
 * `NAME-current.pem` a symbolic link to the newest. What is there is whole at any time.
 */
export class CertificateStore {
  readonly #options: CertificateStoreOptions;

  constructor(options: CertificateStoreOptions) {
    this.#options = options;
  }

  /** The file that always has the newest pair. */
  get currentPath(): string {
    return this.#path("current");
  }

  /** The newest pair; undefined where there is none, or what is there is none. */
  async current(): Promise<CertificatePair | undefined> {
    await this.#recover();
    const text = await this.#read(this.currentPath);
    if (text !== undefined) return pairOf(text);
    const { dir, name } = this.#options;
    const [cert, key] = await Promise.all([this.#read(join(dir, `${name}.crt`)), this.#read(join(dir, `${name}.key`))]);
    return cert === undefined || key === undefined ? undefined : pairOf(`${cert}\n${key}`);
  }

  /** Keeps a new pair. Rejects with an Error for what is none. */
  async update({ cert, key }: CertificatePair): Promise<void> {
    const { files, dir, clock } = this.#options;
    if (pairOf(`${cert}\n${key}`) === undefined) throw new Error("invalid certificate data");
    await files.mkdir(dir, { recursive: true, mode: FOLDER_MODE });
    const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[T:]/g, "-");
    const path = this.#path(time);
    await files.rm(path, { force: true });
    await files.writeFile(path, `${cert.trimEnd()}\n${key.trimEnd()}\n`, { mode: OWNER_ONLY });
    const link = this.#path("updated");
    await files.rm(link, { force: true });
    await files.symlink(path, link);
    // Unlike upstream in one step: there is always a current one.
    await files.rename(link, this.currentPath);
    await this.#removeOld();
  }

  /** A link that was made but not put in place before the machine went down. */
  async #recover(): Promise<void> {
    const { files } = this.#options;
    if ((await exists(files, this.currentPath)) || !(await exists(files, this.#path("updated")))) return;
    await files.rename(this.#path("updated"), this.currentPath);
  }

  async #removeOld(): Promise<void> {
    const { files, dir, name } = this.#options;
    const dated = (await files.readdir(dir)).filter((file) => file.startsWith(`${name}-`) && /-\d\d\.pem$/.test(file)).sort();
    for (const file of dated.slice(0, -KEPT_MAX)) await files.rm(join(dir, file), { force: true });
  }

  async #read(path: string): Promise<string | undefined> {
    try {
      return await this.#options.files.readFile(path, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #path(qualifier: string): string {
    return join(this.#options.dir, `${this.#options.name}-${qualifier}.pem`);
  }
}

async function exists(files: HostFiles, path: string): Promise<boolean> {
  return files.lstat(path).then(
    () => true,
    () => false,
  );
}

/** The certificates and the key of a text of PEM blocks; undefined when one is missing or cannot be read. */
export function pairOf(text: string): CertificatePair | undefined {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----/g) ?? [];
  const cert = blocks.filter((block) => block.startsWith("-----BEGIN CERTIFICATE-----")).join("\n");
  const key = blocks.find((block) => /^-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(block));
  if (cert === "" || key === undefined) return undefined;
  try {
    new X509Certificate(cert);
    return { cert: `${cert}\n`, key: `${key}\n` };
  } catch {
    return undefined;
  }
}
