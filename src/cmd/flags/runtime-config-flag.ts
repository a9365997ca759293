import { FlagError, type FlagSpec } from "#component-base/flags.ts";
import { RuntimeConfig, RuntimeConfigError } from "#kube-apiserver/runtime-config.ts";
import { list } from "./flag-specs.ts";

/** Upstream's `--runtime-config`. */
export const runtimeConfigFlag: { readonly "runtime-config": FlagSpec<"strings"> } = {
  "runtime-config": list(
    "PAIRS",
    "Versions to serve or not: GROUP/VERSION[/RESOURCE]=true|false, or api/all, api/ga, api/beta, api/alpha.",
  ),
};

/** What the flag says. Throws a {@link FlagError} for what is no such pair. */
export function readRuntimeConfig(pairs: readonly string[]): RuntimeConfig {
  try {
    return new RuntimeConfig(pairs);
  } catch (error) {
    throw error instanceof RuntimeConfigError ? new FlagError(`flag --runtime-config: ${error.message}`) : error;
  }
}
