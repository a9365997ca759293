import { unwatchFile, watchFile } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dump } from "js-yaml";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { describeFlags, parseFlags } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import { chooseMode, ModeError } from "#kube-proxy/choose-mode.ts";
import { cleanUp } from "#kube-proxy/clean-up.ts";
import { DEFAULT_CONFIGURATION, forMode, type ProxyConfiguration } from "#kube-proxy/configuration/proxy-configuration.ts";
import { applyKernelSettings } from "#kube-proxy/conntrack/kernel-settings.ts";
import { KubeProxy } from "#kube-proxy/kube-proxy.ts";
import { apiServerAddress, clientOf } from "./api-client.ts";
import { readFeatureGates } from "./flags/feature-gates.ts";
import { givenFlags } from "./flags/flag-specs.ts";
import { sayFormerFlags } from "./flags/former-flags.ts";
import { loggerOf } from "./flags/log-flags.ts";
import {
  PROXY_CONFIGURATION_GROUP,
  readProxyConfiguration,
  shownConfiguration,
  validConfiguration,
} from "./kube-proxy/configuration.ts";
import { configurationOfFlags, formerProxyFlags, type KubeProxyFlags, kubeProxyFlags } from "./kube-proxy/flags.ts";
import { proxyHost } from "./kube-proxy/host.ts";
import { openProxyPorts } from "./kube-proxy/ports.ts";
import { notifyReady } from "./notify-ready.ts";
import type { ProgramCall } from "./program-call.ts";
import { untilInterrupted } from "./signals.ts";
import { explainStartFailure, StartupError } from "./startup-error.ts";
import { printVersion } from "./version.ts";

/** How often it is looked whether the file of `--config` is still the same, in milliseconds. */
const CONFIG_CHECK_MS = 5_000;

/** `kybern kube-proxy`: gives the addresses of Services a meaning on one node. */
export async function kubeProxy({ args }: ProgramCall): Promise<void> {
  const flags = parseFlags(kubeProxyFlags, args) as KubeProxyFlags;
  if (flags.help) {
    process.stdout.write(
      `Gives the addresses of Services a meaning on one node.\n\nUsage: kybern kube-proxy --kubeconfig=FILE|--master=URL [flags]\n\n${describeFlags(kubeProxyFlags)}\n`,
    );
    return;
  }
  if (flags.version) return printVersion();
  const logger = loggerOf("kube-proxy", flags);
  sayFormerFlags(formerProxyFlags, givenFlags(args), logger);
  readFeatureGates(flags["feature-gates"], logger);
  if (flags["write-config-to"] !== "") return writeDefaults(flags["write-config-to"]);
  if (flags.cleanup) return removeRules(logger);
  const explain = (error: unknown): never => {
    if (error instanceof ModeError) throw new StartupError(error.message);
    return explainStartFailure(error, { dataDir: "", etcdServers: [], address: "", port: 0 });
  };
  const configuration = await configurationOf(flags).catch(explain);
  if (flags["init-only"]) return setUpKernel(configuration, logger).catch(explain);
  await run(flags, configuration, logger).catch(explain);
}

async function run(flags: KubeProxyFlags, configuration: ProxyConfiguration, logger: Logger): Promise<void> {
  const interrupted = untilInterrupted();
  await lowerOomScore(configuration.oomScoreAdj, logger);
  const address = await apiServerAddress({ kubeconfig: configuration.kubeconfig, master: flags.master });
  const client = clientOf(address, "kube-proxy", realClock);
  const nodeName = (flags["hostname-override"] || configuration.hostnameOverride || hostname()).trim().toLowerCase();
  const proxy = await KubeProxy.start({
    client,
    clock: realClock,
    random: systemRandom,
    logger,
    host: proxyHost,
    configuration,
    nodeName,
  });
  const shown = { [PROXY_CONFIGURATION_GROUP]: shownConfiguration(forMode(configuration, proxy.mode)) };
  const close = async (): Promise<void> => {
    await proxy.close();
    client.close();
  };
  const closePorts = await openProxyPorts({
    proxy,
    clock: realClock,
    logger,
    healthz: configuration.healthzBindAddress,
    metrics: configuration.metricsBindAddress,
    hardFail: configuration.bindAddressHardFail,
    profiling: configuration.enableProfiling,
    configuration: () => shown,
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  logger.info({ server: address.server, node: nodeName, mode: proxy.mode }, "kube-proxy runs");
  await notifyReady(logger);
  const changed = watchConfiguration(flags.config);
  const isChanged = await Promise.race([interrupted.then(() => false), changed.then(() => true)]);
  if (flags.config !== "") unwatchFile(flags.config);
  await closePorts();
  await close();
  // Whoever keeps it running starts it again, with what the file says now.
  if (isChanged) throw new StartupError("content of the proxy server's configuration file was updated");
}

async function configurationOf(flags: KubeProxyFlags): Promise<ProxyConfiguration> {
  if (flags.config === "") return validConfiguration(configurationOfFlags(flags));
  return readProxyConfiguration(await readFile(flags.config, "utf8"), flags.config);
}

/** Resolves when the file says something else; never where there is none. */
function watchConfiguration(path: string): Promise<void> {
  return new Promise((resolve) => {
    if (path !== "") watchFile(path, { interval: CONFIG_CHECK_MS, persistent: false }, () => resolve());
  });
}

async function writeDefaults(path: string): Promise<void> {
  await writeFile(path, dump(shownConfiguration(DEFAULT_CONFIGURATION)));
}

async function removeRules(logger: Logger): Promise<void> {
  if (await cleanUp(proxyHost, ["iptables", "nftables"], logger)) return;
  throw new StartupError("not all rules could be removed: the log says which and why");
}

async function setUpKernel(configuration: ProxyConfiguration, logger: Logger): Promise<void> {
  const { mode } = await chooseMode(proxyHost, configuration);
  await applyKernelSettings(proxyHost, forMode(configuration, mode), logger);
}

async function lowerOomScore(score: number, logger: Logger): Promise<void> {
  try {
    await writeFile("/proc/self/oom_score_adj", `${score}`);
  } catch (error) {
    logger.debug({ err: error, score }, "the kernel does not let this process choose when it is ended");
  }
}
