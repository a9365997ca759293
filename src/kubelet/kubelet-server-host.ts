import type { Duplex } from "node:stream";
import type { LogFiles } from "#cri/log-files.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { Kubelet } from "./kubelet.ts";
import type { KubeletHost } from "./server/kubelet-host.ts";

/** What the server of a kubelet on a real runtime is given beside it. */
export interface KubeletServerFacts {
  readonly nodeName: string;
  readonly runtime: RuntimeService;
  readonly logFiles: LogFiles;
  /** When the kubelet began, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** A connection to where a URL of the runtime's leads. */
  readonly dialStreaming: (url: URL) => Promise<Duplex>;
  readonly volumeStats?: NonNullable<KubeletHost["volumeStats"]>;
}

/** What a kubelet's server asks of it. */
export function kubeletServerHost(kubelet: Kubelet, facts: KubeletServerFacts): KubeletHost {
  return {
    ...facts,
    pods: () => kubelet.pods(),
    isSyncing: () => kubelet.health.isSyncing(),
  };
}
