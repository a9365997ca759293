import type { Logger } from "#component-base/logging.ts";
import type { KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import { StartupError } from "../startup-error.ts";

/** Settings that would change what containers get, and cannot be had: the value that can. */
const ONLY: readonly (readonly [keyof KubeletConfiguration, string])[] = [
  ["cpuManagerPolicy", "none"],
  ["memoryManagerPolicy", "None"],
  ["topologyManagerPolicy", "none"],
];
/** Settings of which nothing comes, though pods run as well without. */
const NOTHING: readonly (keyof KubeletConfiguration)[] = [
  "qosReserved",
  "tracing",
  "enableSystemLogQuery",
  "kubeletCgroups",
  "systemCgroups",
  "enableContentionProfiling",
  "kernelMemcgNotification",
  "showHiddenMetricsForVersion",
];

/** Refuses what is asked for and cannot be had, and says in the log of what nothing comes. Throws a {@link StartupError}. */
export function tellUnheeded(configuration: KubeletConfiguration, logger: Logger): void {
  for (const [field, only] of ONLY) {
    const value = configuration[field];
    if (value !== only)
      throw new StartupError(`${field}: ${JSON.stringify(value)} is not there in this version, only ${only} is`);
  }
  for (const field of NOTHING) {
    const value = configuration[field];
    const isSet = value !== undefined && value !== false && value !== "" && JSON.stringify(value) !== "{}";
    if (isSet) logger.warn({ field }, "this setting of the configuration is read, and nothing comes of it");
  }
}
