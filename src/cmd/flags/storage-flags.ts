import { parseGoDuration } from "#apimachinery/go-duration.ts";
import {
  STORAGE_MEDIA_TYPES,
  type StorageMediaType,
  type StorageSettings,
  type StoreOverride,
} from "#apiserver/registry/store/storage-settings.ts";
import type { Clock } from "#base/clock.ts";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KVStore } from "#storage/kv.ts";
import { openEtcd } from "../open-store.ts";
import { etcdTls, etcdUrls } from "./etcd-flags.ts";

type StorageFlagTypes = {
  readonly "etcd-servers-overrides": "strings";
  readonly "etcd-compaction-interval": "string";
  readonly "etcd-count-metric-poll-period": "string";
  readonly "etcd-db-metric-poll-interval": "string";
  readonly "etcd-healthcheck-timeout": "string";
  readonly "etcd-readycheck-timeout": "string";
  readonly "lease-reuse-duration-seconds": "int";
  readonly "storage-media-type": "string";
  readonly "delete-collection-workers": "int";
  readonly "watch-cache": "bool";
  readonly "default-watch-cache-size": "int";
  readonly "watch-cache-sizes": "strings";
};

/** Flags of how the API server stores objects. */
export const storageFlags: { readonly [N in keyof StorageFlagTypes]: FlagSpec<StorageFlagTypes[N]> } = {
  "etcd-servers-overrides": {
    type: "strings",
    default: [],
    placeholder: "LIST",
    help: "Keep the objects of some built-in resources in another etcd: GROUP/RESOURCE#URLS, URLS with semicolons between.",
  },
  "etcd-compaction-interval": {
    type: "string",
    default: "5m0s",
    placeholder: "DURATION",
    help: "How long old revisions can be read; forever when 0.",
  },
  "etcd-count-metric-poll-period": {
    type: "string",
    default: "1m0s",
    placeholder: "DURATION",
    help: "0 leaves the numbers of objects out of the metrics; otherwise they are counted when they are asked for.",
  },
  "etcd-db-metric-poll-interval": {
    type: "string",
    default: "30s",
    placeholder: "DURATION",
    help: "How often etcd is asked for the size of its database, for the metrics; 0 leaves that out of them.",
  },
  "etcd-healthcheck-timeout": {
    type: "string",
    default: "2s",
    placeholder: "DURATION",
    help: "How long /healthz and /livez wait for etcd.",
  },
  "etcd-readycheck-timeout": {
    type: "string",
    default: "2s",
    placeholder: "DURATION",
    help: "How long /readyz waits for etcd.",
  },
  "lease-reuse-duration-seconds": {
    type: "int",
    default: 60,
    min: 0,
    max: 2 ** 31 - 1,
    placeholder: "N",
    help: "How long what expires, such as events, is put on one lease, but for a twentieth of its time at most.",
  },
  "storage-media-type": {
    type: "string",
    default: "",
    placeholder: "TYPE",
    help: "application/json or application/vnd.kubernetes.protobuf: what built-in objects are written in; both are read. Default: protobuf on etcd, JSON in the embedded store.",
  },
  "delete-collection-workers": {
    type: "int",
    default: 16,
    min: 1,
    max: 1000,
    placeholder: "N",
    help: "Objects of a collection that are deleted at one time.",
  },
  "watch-cache": {
    type: "bool",
    default: true,
    help: "Reads are answered from memory. When false, a warning: they are all the same.",
  },
  "default-watch-cache-size": {
    type: "int",
    default: 100,
    min: 0,
    max: 2 ** 31 - 1,
    placeholder: "N",
    help: "Any size but 0 is the same, as upstream: caches are sized by what is in them. 0 is as --watch-cache=false.",
  },
  "watch-cache-sizes": {
    type: "strings",
    default: [],
    placeholder: "LIST",
    help: "RESOURCE[.GROUP]#SIZE, with sizes as those of --default-watch-cache-size.",
  },
};

/** The flags that {@link storageSettings} reads. */
export type StorageFlagValues = ParsedFlags<typeof storageFlags> & {
  readonly "etcd-servers": readonly string[];
  readonly "etcd-cafile": string;
  readonly "etcd-certfile": string;
  readonly "etcd-keyfile": string;
  readonly "etcd-prefix": string;
};

/** Checks the flags, all but whether another etcd answers. Throws {@link FlagError}. */
export function storageSettings(flags: StorageFlagValues, logger: Logger): Omit<StorageSettings, "overrides"> {
  overridesOf(flags);
  for (const size of flags["watch-cache-sizes"]) {
    if (!/^[a-z0-9.-]+#\d+$/.test(size))
      throw new FlagError(`flag --watch-cache-sizes takes entries such as pods#100 or deployments.apps#100, not "${size}"`);
  }
  const isCacheUnwanted = !flags["watch-cache"] || flags["default-watch-cache-size"] === 0;
  if (isCacheUnwanted || flags["watch-cache-sizes"].some((size) => /#0+$/.test(size)))
    logger.warn({}, "watch caches that are not wanted are kept all the same: answers do not differ, memory is not saved");
  return {
    mediaType: mediaTypeOf(flags),
    compactionIntervalMs: duration(flags, "etcd-compaction-interval"),
    countObjects: duration(flags, "etcd-count-metric-poll-period") > 0,
    leaseReuseSeconds: flags["lease-reuse-duration-seconds"],
    sizePollMs: duration(flags, "etcd-db-metric-poll-interval"),
    healthTimeoutMs: duration(flags, "etcd-healthcheck-timeout"),
    readyTimeoutMs: duration(flags, "etcd-readycheck-timeout"),
    deleteCollectionWorkers: flags["delete-collection-workers"],
  };
}

/** Upstream's default on etcd; in the embedded store, which nobody else reads, what costs less. */
function mediaTypeOf(flags: StorageFlagValues): StorageMediaType {
  const type = flags["storage-media-type"];
  if (type === "") return flags["etcd-servers"].length > 0 ? "application/vnd.kubernetes.protobuf" : "application/json";
  const found = STORAGE_MEDIA_TYPES.find((known) => known === type);
  if (found !== undefined) return found;
  throw new FlagError(`flag --storage-media-type takes one of ${STORAGE_MEDIA_TYPES.join(", ")}, not "${type}"`);
}

/** Opens the other etcds of `--etcd-servers-overrides`, each once. They are the caller's to close. */
export async function openOverrides(flags: StorageFlagValues, clock: Clock): Promise<readonly StoreOverride[]> {
  const opened = new Map<string, KVStore>();
  const found: StoreOverride[] = [];
  try {
    for (const { group, resource, urls } of overridesOf(flags)) {
      const place = [...urls].sort().join();
      const kv = opened.get(place) ?? (await openEtcd({ urls, tls: etcdTls(flags), prefix: flags["etcd-prefix"] }, clock));
      opened.set(place, kv);
      found.push({ group, resource, kv });
    }
  } catch (error) {
    await Promise.all([...opened.values()].map((kv) => kv.close()));
    throw error;
  }
  return found;
}

/** Where all etcds are that the flags name: for telling that one of them does not answer. */
export function etcdAddresses(flags: StorageFlagValues): readonly string[] {
  return [...new Set([...flags["etcd-servers"], ...overridesOf(flags).flatMap(({ urls }) => urls)])];
}

interface ParsedOverride {
  readonly group: string;
  readonly resource: string;
  readonly urls: readonly string[];
}

function overridesOf(flags: StorageFlagValues): readonly ParsedOverride[] {
  const flag = "etcd-servers-overrides";
  const found = flags[flag].map((text): ParsedOverride => {
    const match = /^([a-z0-9.-]*)\/([a-z0-9.-]+)#([^#]+)$/.exec(text);
    if (match === null)
      throw new FlagError(
        `flag --${flag} takes entries such as /events#http://10.0.0.1:2379;http://10.0.0.2:2379, not "${text}"`,
      );
    const [, group = "", resource = "", servers = ""] = match;
    return { group, resource, urls: etcdUrls(flag, servers.split(";").filter(Boolean)) };
  });
  if (found.length > 0 && flags["etcd-servers"].length === 0) throw new FlagError(`flag --${flag} needs --etcd-servers`);
  return found;
}

type DurationFlag = {
  [N in keyof StorageFlagTypes]: N extends `${string}-${"interval" | "period" | "timeout"}` ? N : never;
}[keyof StorageFlagTypes];

function duration(flags: StorageFlagValues, name: DurationFlag): number {
  const text = flags[name];
  try {
    const parsed = parseGoDuration(text);
    if (parsed >= 0) return parsed;
  } catch {
    // Told as what is negative is.
  }
  throw new FlagError(`flag --${name} takes a duration such as 30s or 5m, not "${text}"`);
}
