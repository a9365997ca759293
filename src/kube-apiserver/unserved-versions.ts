import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import type { Logger } from "#component-base/logging.ts";
import type { RuntimeConfig } from "./runtime-config.ts";

/** Says which versions somebody asked for in vain, as guides of former years do. */
export function warnOfUnserved(config: RuntimeConfig, { stored, virtual }: ResourceSet, logger: Logger): void {
  const served = new Set<string>();
  for (const { group, version } of virtual) served.add(`${group}/${version}`);
  for (const { group, version, storageVersionServed, otherVersions = [] } of stored) {
    if (storageVersionServed !== false) served.add(`${group}/${version}`);
    for (const other of otherVersions) served.add(`${other.group ?? group}/${other.version}`);
  }
  for (const version of [...config.named, ...config.forgotten]) {
    if (!served.has(version)) logger.warn({ version }, "--runtime-config asks for a version of which nothing can be served");
  }
}
