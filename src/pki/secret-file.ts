import { rename, writeFile } from "node:fs/promises";

/** Readable and writable by the owner alone. */
const SECRET_FILE_MODE = 0o600;

/** Writes a file that only its owner may read, whole or not at all. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.tmp`;
  await writeFile(unfinished, text, { mode: SECRET_FILE_MODE });
  await rename(unfinished, path);
}
