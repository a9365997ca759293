import type { Pod } from "#api/generated/core/v1.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { DnsConfig } from "#cri/pod-sandbox.ts";
import { type DnsSettings, podDns, resolvConfWarning } from "./pod-dns.ts";
import { parseResolvConf } from "./resolv-conf.ts";

/** What {@link NodeDns} is made of. */
export interface NodeDnsOptions extends Omit<DnsSettings, "ofNode"> {
  readonly nodeName: string;
  /** The node's own file, as `--resolv-conf`; empty: none. */
  readonly resolvConf: string;
  readonly files: Pick<HostFiles, "readFile">;
  readonly recorder: EventRecorder;
}

/** What stands in the `resolv.conf` of a node's pods. What is wrong with it is told as events of the pod, and of the node. */
export class NodeDns {
  readonly #options: NodeDnsOptions;

  constructor(options: NodeDnsOptions) {
    this.#options = options;
  }

  /** Reads the node's own file anew each time. */
  async configOf(pod: Pod): Promise<DnsConfig> {
    const { config, warnings } = podDns(pod, { ...this.#options, ofNode: await this.#ofNode() });
    for (const { reason, message, forNode } of warnings) {
      if (forNode !== undefined) this.#tellNode(reason, forNode);
      this.#options.recorder.event({ apiVersion: "v1", kind: "Pod", metadata: pod.metadata }, "Warning", reason, message);
    }
    return config;
  }

  /** Tells when the node's own file leaves no room for what the cluster adds, or cannot be read; for the start. */
  async check(): Promise<void> {
    const { resolvConf, clusterDomain } = this.#options;
    const wrong = await this.#ofNode().then(
      (config) => (config === undefined ? undefined : resolvConfWarning(resolvConf, config, clusterDomain)),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (wrong !== undefined) this.#tellNode("CheckLimitsForResolvConf", wrong);
  }

  async #ofNode(): Promise<DnsConfig | undefined> {
    const { resolvConf, files } = this.#options;
    return resolvConf === "" ? undefined : parseResolvConf(await files.readFile(resolvConf, "utf8"));
  }

  #tellNode(reason: string, message: string): void {
    const { nodeName, recorder } = this.#options;
    // As upstream does: a node's events are found by its name for a uid.
    recorder.event({ apiVersion: "v1", kind: "Node", metadata: { name: nodeName, uid: nodeName } }, "Warning", reason, message);
  }
}
