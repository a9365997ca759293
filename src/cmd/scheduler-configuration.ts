import { ConfigurationError, type ConfigurationKind, readConfiguration } from "#apiserver/configuration-file.ts";
import type { ComponentFlags } from "./flags/component-flags.ts";

/** What a KubeSchedulerConfiguration says. */
export interface SchedulerConfiguration {
  /** What flags say too: the file wins, as upstream. */
  readonly flags: Partial<ComponentFlags>;
  readonly percentageOfNodesToScore?: number;
}

const KIND: ConfigurationKind = {
  kind: "KubeSchedulerConfiguration",
  apiVersions: ["kubescheduler.config.k8s.io/v1"],
  fields: {
    leaderElection: {
      fields: {
        leaderElect: "flag",
        leaseDuration: "duration",
        renewDeadline: "duration",
        retryPeriod: "duration",
        resourceLock: "text",
        resourceName: "text",
        resourceNamespace: "text",
      },
    },
    clientConnection: {
      fields: { kubeconfig: "text", acceptContentTypes: "text", contentType: "text", qps: "any", burst: "any" },
    },
    enableProfiling: "flag",
    enableContentionProfiling: "flag",
    percentageOfNodesToScore: "any",
    parallelism: "any",
    profiles: { list: { fields: { schedulerName: "text" } } },
  },
};

interface File {
  readonly leaderElection?: Readonly<Record<string, string | boolean>>;
  readonly clientConnection?: { readonly kubeconfig?: string };
  readonly enableProfiling?: boolean;
  readonly percentageOfNodesToScore?: unknown;
  readonly profiles?: readonly { readonly schedulerName?: string }[];
}

/** The flags that the fields of `leaderElection` stand for. */
const ELECTION_FLAGS: Readonly<Record<string, keyof ComponentFlags>> = {
  leaderElect: "leader-elect",
  leaseDuration: "leader-elect-lease-duration",
  renewDeadline: "leader-elect-renew-deadline",
  retryPeriod: "leader-elect-retry-period",
  resourceName: "leader-elect-resource-name",
  resourceNamespace: "leader-elect-resource-namespace",
};

/** Reads `--config`. There is one profile, with all plugins as they are. Throws a {@link ConfigurationError}. */
export function readSchedulerConfiguration(text: string, path: string): SchedulerConfiguration {
  const {
    leaderElection = {},
    clientConnection,
    enableProfiling,
    percentageOfNodesToScore,
    profiles = [],
  } = readConfiguration(text, path, KIND) as File;
  const other = profiles.find(({ schedulerName = "default-scheduler" }) => schedulerName !== "default-scheduler");
  if (profiles.length > 1 || other !== undefined) {
    throw new ConfigurationError(`${path}: there is one profile, default-scheduler, in this version`);
  }
  const isPercentage = Number.isInteger(percentageOfNodesToScore) && Number(percentageOfNodesToScore) <= 100;
  if (percentageOfNodesToScore !== undefined && !(isPercentage && Number(percentageOfNodesToScore) >= 0)) {
    throw new ConfigurationError(
      `${path}: percentageOfNodesToScore: Invalid value: ${percentageOfNodesToScore}: not in valid range [0-100]`,
    );
  }
  const election = Object.entries(leaderElection).flatMap(([field, value]) => {
    const flag = ELECTION_FLAGS[field];
    return flag === undefined ? [] : [[flag, value] as const];
  });
  return {
    flags: {
      ...(Object.fromEntries(election) as Partial<ComponentFlags>),
      ...(clientConnection?.kubeconfig === undefined ? {} : { kubeconfig: clientConnection.kubeconfig }),
      ...(enableProfiling === undefined ? {} : { profiling: enableProfiling }),
    },
    ...(percentageOfNodesToScore === undefined ? {} : { percentageOfNodesToScore: Number(percentageOfNodesToScore) }),
  };
}
