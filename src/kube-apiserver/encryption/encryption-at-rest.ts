import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { HealthCheck } from "#apiserver/health/health-checks.ts";
import type { Logger } from "#component-base/logging.ts";
import { EncryptedStore } from "#storage/encryption/encrypted-store.ts";
import type { KVStore } from "#storage/kv.ts";
import type { GroupResource } from "./encrypted-resources.ts";
import { readEncryptionConfiguration } from "./encryption-configuration.ts";
import { type EncryptionModules, startTransformers, type Transformers } from "./transformers.ts";

/** How values are encrypted before they are stored; named after upstream's flags. */
export interface EncryptionOptions {
  /** An EncryptionConfiguration. */
  readonly configFile: string;
  /** Whether the file is read anew when it changes. */
  readonly automaticReload?: boolean;
  /** Under which name a key is known to the database, where that is another. Ciphers bind values to it. */
  readonly databaseKey?: (key: string) => string;
}

/** How often a file that may change is looked at: upstream's `EncryptionConfigFileChangePollDuration`. */
const RELOAD_INTERVAL_MS = 60_000;

/** A store that encrypts, and what keeps it. */
export interface EncryptionAtRest {
  readonly kv: KVStore;
  /** Does the same in front of another store. */
  wrap(store: KVStore): KVStore;
  readonly healthChecks: readonly HealthCheck[];
  stop(): void;
}

/** Sets encryption up in front of a store. Rejects where the file cannot be understood. */
export async function startEncryption(
  options: EncryptionOptions,
  store: KVStore,
  resourceOf: (key: string) => GroupResource,
  modules: EncryptionModules & { readonly logger: Logger },
): Promise<EncryptionAtRest> {
  const { configFile, automaticReload = false, databaseKey } = options;
  const { clock, logger } = modules;
  let known = "";
  const load = async (): Promise<Transformers | undefined> => {
    const text = await readFile(configFile, "utf8");
    const hash = createHash("sha256").update(text).digest("hex");
    if (hash === known) return undefined;
    const loaded = await startTransformers(readEncryptionConfiguration(text, configFile), modules);
    known = hash;
    return loaded;
  };
  let transformers = (await load()) as Transformers;
  const reload = async (): Promise<void> => {
    try {
      const next = await load();
      if (next === undefined) return;
      const last = transformers;
      transformers = next;
      last.close();
      logger.info({ file: configFile }, "the encryption configuration has changed, and holds from now on");
    } catch (error) {
      logger.error(
        { err: error, file: configFile },
        "the changed encryption configuration cannot be used; the last one holds on",
      );
    }
  };
  const timer = automaticReload ? clock.setInterval(() => void reload(), RELOAD_INTERVAL_MS, { unref: true }) : undefined;
  const transformerOf = (key: string) => transformers.of(resourceOf(key));
  const wrap = (inner: KVStore): KVStore =>
    new EncryptedStore({ store: inner, transformerOf, ...(databaseKey && { boundTo: databaseKey }) });
  return {
    kv: wrap(store),
    wrap,
    healthChecks: [{ name: "kms-providers", check: () => checkAll(transformers.healthChecks) }].slice(
      automaticReload || transformers.healthChecks.length > 0 ? 0 : 1,
    ),
    stop: () => {
      timer?.clear();
      transformers.close();
    },
  };
}

async function checkAll(checks: readonly HealthCheck[]): Promise<void> {
  const failures: string[] = [];
  for (const { name, check } of checks) {
    try {
      await check();
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.length === 1 ? failures[0] : `[${failures.join(", ")}]`);
}
