import type { Logger } from "#component-base/logging.ts";
import { DEFAULT_CONFIGURATION, type ProxyConfiguration, type ProxyMode } from "./configuration/proxy-configuration.ts";
import type { ProxyHost } from "./host.ts";
import { IptablesBackend } from "./iptables/iptables-backend.ts";
import { NftablesBackend } from "./nftables/nftables-backend.ts";
import type { RuleBackend } from "./rule-backend.ts";
import { IP_FAMILIES, type IpFamily } from "./traffic/ip-family.ts";

/** Makes the backend of a mode. */
export function backendOf(
  mode: ProxyMode,
  family: IpFamily,
  host: ProxyHost,
  configuration: ProxyConfiguration = DEFAULT_CONFIGURATION,
): RuleBackend {
  const options = { family, host, configuration };
  return mode === "iptables" ? new IptablesBackend(options) : new NftablesBackend(options);
}

/** Removes all rules of the given modes, of both families. Resolves with whether all went well; what did not is in the log. */
export async function cleanUp(host: ProxyHost, modes: readonly ProxyMode[], logger: Logger): Promise<boolean> {
  let isClean = true;
  for (const mode of modes) {
    for (const family of IP_FAMILIES) {
      if (!(await isInstalled(host, mode))) continue;
      try {
        await backendOf(mode, family, host).remove();
      } catch (error) {
        isClean = false;
        logger.error({ mode, family, err: error }, "rules cannot be removed");
      }
    }
  }
  return isClean;
}

/** Without its program a mode cannot have left anything behind. */
async function isInstalled(host: ProxyHost, mode: ProxyMode): Promise<boolean> {
  const { code } = await host.run(mode === "iptables" ? "iptables" : "nft", ["--version"]);
  return code === 0;
}
