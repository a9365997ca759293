import { readFile } from "node:fs/promises";
import { systemRandom } from "#base/random.ts";
import { describeFlags, type FlagSet, type FlagSpec, type ParsedFlags, parseFlags } from "#component-base/flags.ts";
import { startScheduler } from "#kube-scheduler/scheduler.ts";
import { type ComponentFlags, componentFlags, shownElection } from "./flags/component-flags.ts";
import { file, givenFlags } from "./flags/flag-specs.ts";
import type { ProgramCall } from "./program-call.ts";
import { runComponent } from "./run-component.ts";
import { readSchedulerConfiguration, type SchedulerConfiguration } from "./scheduler-configuration.ts";
import { explainStartFailure } from "./startup-error.ts";
import { printVersion } from "./version.ts";

/** The flags of `kybern kube-scheduler`. */
export const kubeSchedulerFlags: typeof componentFlags & { readonly config: FlagSpec<"string"> } & FlagSet = {
  ...componentFlags,
  config: file("KubeSchedulerConfiguration, in place of flags that say the same."),
  "secure-port": { ...componentFlags["secure-port"], default: 10259 },
  "leader-elect-resource-name": { ...componentFlags["leader-elect-resource-name"], default: "kube-scheduler" },
};

/** `kybern kube-scheduler`: places pods on nodes, for an API server that runs elsewhere. */
export async function kubeScheduler({ args, isHyperkube }: ProgramCall): Promise<void> {
  const parsed = parseFlags(kubeSchedulerFlags, args) as ParsedFlags<typeof kubeSchedulerFlags>;
  if (parsed.help) {
    process.stdout.write(
      `The scheduler, for an API server that runs elsewhere.\n\nUsage: kybern kube-scheduler --kubeconfig=FILE|--master=URL [flags]\n\n${describeFlags(kubeSchedulerFlags)}\n`,
    );
    return;
  }
  if (parsed.version) return printVersion();
  const configuration = await configurationOf(parsed.config).catch((error: unknown) =>
    explainStartFailure(error, { dataDir: "", etcdServers: [], address: "", port: 0 }),
  );
  const flags: ComponentFlags = { ...parsed, ...configuration.flags };
  const { percentageOfNodesToScore } = configuration;
  await runComponent(
    {
      name: "kube-scheduler",
      plainPort: 10251,
      configuration: () => ({ "kubescheduler.config.k8s.io": shown(flags, configuration) }),
      start: async ({ client, clock, logger, signal, identity, election }) => {
        const scheduler = await startScheduler({
          client,
          clock,
          random: systemRandom,
          logger,
          signal,
          identity,
          leaderElect: flags["leader-elect"],
          election,
          ...(percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore }),
        });
        return { healthy: () => scheduler.healthz(), stop: () => scheduler.stop() };
      },
    },
    { flags, given: givenFlags(args), isHyperkube },
  );
}

async function configurationOf(path: string): Promise<SchedulerConfiguration> {
  return path === "" ? { flags: {} } : readSchedulerConfiguration(await readFile(path, "utf8"), path);
}

/** As upstream's `/configz`. */
function shown(flags: ComponentFlags, { percentageOfNodesToScore = 0 }: SchedulerConfiguration): object {
  return {
    kind: "KubeSchedulerConfiguration",
    apiVersion: "kubescheduler.config.k8s.io/v1",
    percentageOfNodesToScore,
    clientConnection: { kubeconfig: flags.kubeconfig, contentType: "application/json" },
    leaderElection: shownElection(flags),
    enableProfiling: flags.profiling,
    profiles: [{ schedulerName: "default-scheduler" }],
  };
}
