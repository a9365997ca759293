import type { StorageSettings } from "#apiserver/registry/store/storage-settings.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { KubeApiServerOptions } from "../server-options.ts";
import type { EncryptionAtRest } from "./encryption-at-rest.ts";
import type { resourceOfKey } from "./resource-of-key.ts";

/** Loaded only where it is asked for. */
export async function encryptionOf(
  options: KubeApiServerOptions,
  resourceOf: ReturnType<typeof resourceOfKey>,
): Promise<EncryptionAtRest | undefined> {
  if (options.encryption === undefined) return undefined;
  const { startEncryption } = await import("./encryption-at-rest.ts");
  const { kv, clock, random, logger = silentLogger } = options;
  return startEncryption(options.encryption, kv, resourceOf, { clock, random, logger });
}

/** With the values of resources that are kept elsewhere encrypted as the others are. */
export function storageSettings(
  { storage = {} }: KubeApiServerOptions,
  encryption: EncryptionAtRest | undefined,
): StorageSettings {
  const { overrides = [] } = storage;
  if (encryption === undefined || overrides.length === 0) return storage;
  const wrapped = new Map([...new Set(overrides.map(({ kv }) => kv))].map((kv) => [kv, encryption.wrap(kv)]));
  return { ...storage, overrides: overrides.map((each) => ({ ...each, kv: wrapped.get(each.kv) ?? each.kv })) };
}
