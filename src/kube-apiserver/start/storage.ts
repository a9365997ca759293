import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { KVStore } from "#storage/kv.ts";
import type { EncryptionAtRest } from "../encryption/encryption-at-rest.ts";
import { encryptionOf, storageSettings } from "../encryption/of-options.ts";
import { resourceOfKey } from "../encryption/resource-of-key.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import { StoreReports } from "../store-reports.ts";

/** Where objects are kept, and how. */
export interface Storage {
  /** Encrypts on the way, when that is asked for. */
  readonly kv: KVStore;
  readonly settings: StorageSettings;
  readonly encryption: EncryptionAtRest | undefined;
  /** The store, and then those that keep some resources in its place, each once. */
  readonly databases: readonly KVStore[];
  readonly reports: StoreReports;
  /** From now on it knows of which resource a key is. */
  knows(resources: ResourceSet): void;
}

/** Puts encryption in front of the store. Rejects where the file that configures it cannot be used. */
export async function openStorage(options: KubeApiServerOptions): Promise<Storage> {
  let resourceOf = resourceOfKey([]);
  const encryption = await encryptionOf(options, (key) => resourceOf(key));
  const kv = encryption?.kv ?? options.kv;
  const settings = storageSettings(options, encryption);
  const databases = [kv, ...new Set(settings.overrides?.map((each) => each.kv))];
  const { clock, logger = silentLogger } = options;
  return {
    kv,
    settings,
    encryption,
    databases,
    reports: new StoreReports({ stores: databases, clock, logger, sizePollMs: settings.sizePollMs }),
    knows: ({ stored }) => {
      resourceOf = resourceOfKey(stored.map(({ group, plural, storagePrefix }) => ({ group, resource: plural, storagePrefix })));
    },
  };
}
