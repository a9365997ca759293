import type { Pod } from "#api/generated/core/v1.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import type { PodWorkerModules } from "../pod-worker-modules.ts";
import type { StartSite } from "./container-starter.ts";
import { podLogsFolder, sandboxConfig } from "./sandbox-config.ts";
import { sandboxSecurityOf } from "./sandbox-security.ts";

/** Makes the sandboxes of one pod, and tells what the current one is made of. */
export class PodSandboxes {
  readonly #modules: PodWorkerModules;
  /** Does not change in a sandbox's life. */
  #site: StartSite | undefined;

  constructor(modules: PodWorkerModules) {
    this.#modules = modules;
  }

  /** Makes one; `attempt` counts from 0. */
  async create(pod: Pod, attempt: number): Promise<string> {
    const { runtime, sandboxes } = this.#modules;
    const [sandbox, runtimeHandler] = await this.#config(pod, attempt);
    if (sandboxes !== undefined) await sandboxes.makeLogFolder(podLogsFolder(pod, sandboxes.podLogsDir));
    const sandboxId = await runtime.runPodSandbox(sandbox, runtimeHandler);
    this.#site = { sandboxId, sandbox, runtimeHandler };
    return sandboxId;
  }

  /** Where containers are started: that of a sandbox of an earlier run is worked out anew. */
  async siteOf(pod: Pod, sandboxId: string, attempt: number): Promise<StartSite> {
    if (this.#site?.sandboxId === sandboxId) return this.#site;
    const [sandbox, runtimeHandler] = await this.#config(pod, attempt);
    this.#site = { sandboxId, sandbox, runtimeHandler };
    return this.#site;
  }

  async #config(pod: Pod, attempt: number): Promise<readonly [PodSandboxConfig, string]> {
    const { cgroups, sandboxes, security } = this.#modules;
    const cgroupParent = await cgroups.ensurePodCgroup(pod);
    if (sandboxes === undefined) return [sandboxConfig(pod, { attempt, cgroupParent }), ""];
    const [dns, runtimeHandler] = await Promise.all([sandboxes.dns(pod), sandboxes.runtimeHandler(pod)]);
    const own = security === undefined ? {} : sandboxSecurityOf(security, pod);
    const { podLogsDir, clusterDomain } = sandboxes;
    return [sandboxConfig(pod, { attempt, cgroupParent, dns, security: own, podLogsDir, clusterDomain }), runtimeHandler];
  }
}
