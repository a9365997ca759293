import type { Container, ContainerConfig, ContainerFilter, ContainerStatus } from "../container.ts";
import { NotFoundError } from "../cri-error.ts";
import type { LinuxContainerResources } from "../linux-config.ts";
import type { PodSandbox, PodSandboxConfig, PodSandboxFilter, PodSandboxStatus } from "../pod-sandbox.ts";
import type {
  AttachRequest,
  ContainerEvent,
  ExecRequest,
  ExecSyncResult,
  PodResources,
  PortForwardRequest,
  RuntimeService,
} from "../runtime-service.ts";
import type { CgroupDriver, RuntimeStatus, RuntimeVersion } from "../runtime-status.ts";
import type { ContainerStats, PodSandboxStats, StatsFilter } from "../stats.ts";
import { CALL_TIMEOUT_MS, type CriChannel, type Method, type RequestName, type ResponseName } from "./cri-channel.ts";
import { containerOf, containerStatusOf, runtimeStatusOf, sandboxOf, sandboxStatusOf } from "./from-messages.ts";
import type { MessageRead, MessageWritten } from "./schema/messages.ts";
import { containerStatsOf, sandboxStatsOf } from "./stats-from-messages.ts";

/** The version of the kubelet's side of CRI, which kubelets tell. */
const KUBELET_API_VERSION = "0.1.0";
/** Sandboxes take long: their network is made, and their image may have to be pulled. */
const SANDBOX_TIMEOUT_MS: number = 2 * CALL_TIMEOUT_MS;

/** A container runtime behind a socket, by CRI v1: containerd, CRI-O and whatever else speaks it. */
export class RemoteRuntime implements RuntimeService {
  readonly #channel: CriChannel;

  constructor(channel: CriChannel) {
    this.#channel = channel;
  }

  async version(): Promise<RuntimeVersion> {
    const { runtimeName, runtimeVersion, runtimeApiVersion } = await this.#call("Version", { version: KUBELET_API_VERSION });
    return { runtimeName, runtimeVersion, runtimeApiVersion };
  }

  async status(verbose = false): Promise<RuntimeStatus> {
    return runtimeStatusOf(await this.#call("Status", { verbose }));
  }

  async cgroupDriver(): Promise<CgroupDriver> {
    const { linux } = await this.#call("RuntimeConfig", {});
    return linux?.cgroupDriver ?? "CGROUPFS";
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    await this.#call("UpdateRuntimeConfig", { runtimeConfig: { networkConfig: { podCidr } } });
  }

  async runPodSandbox(config: PodSandboxConfig, runtimeHandler = ""): Promise<string> {
    return (await this.#call("RunPodSandbox", { config, runtimeHandler }, SANDBOX_TIMEOUT_MS)).podSandboxId;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    await gone(this.#call("StopPodSandbox", { podSandboxId }));
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    await gone(this.#call("RemovePodSandbox", { podSandboxId }));
  }

  async podSandboxStatus(podSandboxId: string): Promise<PodSandboxStatus> {
    const { status } = await this.#call("PodSandboxStatus", { podSandboxId });
    return sandboxStatusOf(there(status, podSandboxId));
  }

  async listPodSandbox({ state, ...filter }: PodSandboxFilter = {}): Promise<readonly PodSandbox[]> {
    const wanted = { ...filter, ...(state !== undefined && { state: { state } }) };
    return (await this.#call("ListPodSandbox", { filter: wanted })).items.map(sandboxOf);
  }

  async createContainer(podSandboxId: string, config: ContainerConfig, sandboxConfig: PodSandboxConfig): Promise<string> {
    return (await this.#call("CreateContainer", { podSandboxId, config, sandboxConfig })).containerId;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#call("StartContainer", { containerId });
  }

  async stopContainer(containerId: string, timeoutSeconds: number): Promise<void> {
    const timeout = Math.ceil(Math.max(0, timeoutSeconds));
    await gone(this.#call("StopContainer", { containerId, timeout }, CALL_TIMEOUT_MS + timeout * 1000));
  }

  async removeContainer(containerId: string): Promise<void> {
    await gone(this.#call("RemoveContainer", { containerId }));
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    const [{ status }, [container]] = await Promise.all([
      this.#call("ContainerStatus", { containerId }),
      this.listContainers({ id: containerId }),
    ]);
    return containerStatusOf(there(status, containerId), there(container, containerId).sandboxId);
  }

  async listContainers({ state, sandboxId = "", ...filter }: ContainerFilter = {}): Promise<readonly Container[]> {
    const wanted = { ...filter, podSandboxId: sandboxId, ...(state !== undefined && { state: { state } }) };
    return (await this.#call("ListContainers", { filter: wanted })).containers.map(containerOf);
  }

  async containerStatuses(filter: ContainerFilter = {}): Promise<readonly ContainerStatus[]> {
    const containers = await this.listContainers(filter);
    const statuses = await Promise.all(containers.map((container) => this.#statusOf(container)));
    return statuses.filter((status) => status !== undefined);
  }

  async updateContainerResources(containerId: string, linux: LinuxContainerResources): Promise<void> {
    await this.#call("UpdateContainerResources", { containerId, linux });
  }

  async updatePodSandboxResources(podSandboxId: string, resources: PodResources): Promise<void> {
    await this.#call("UpdatePodSandboxResources", { podSandboxId, ...resources });
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    await this.#call("ReopenContainerLog", { containerId });
  }

  /** CRI knows whole seconds: what is left of one counts as one. */
  async execSync(containerId: string, cmd: readonly string[], timeoutSeconds: number): Promise<ExecSyncResult> {
    const timeout = Math.ceil(timeoutSeconds);
    const longest = timeout === 0 ? Number.POSITIVE_INFINITY : CALL_TIMEOUT_MS + timeout * 1000;
    return this.#call("ExecSync", { containerId, cmd, timeout }, longest);
  }

  async exec(request: ExecRequest): Promise<string> {
    return (await this.#call("Exec", request)).url;
  }

  async attach(request: AttachRequest): Promise<string> {
    return (await this.#call("Attach", request)).url;
  }

  async portForward({ podSandboxId, ports }: PortForwardRequest): Promise<string> {
    return (await this.#call("PortForward", { podSandboxId, port: ports })).url;
  }

  async containerStats(containerId: string): Promise<ContainerStats> {
    const { stats } = await this.#call("ContainerStats", { containerId });
    return containerStatsOf(there(stats, containerId));
  }

  async listContainerStats(filter: StatsFilter & { readonly sandboxId?: string } = {}): Promise<readonly ContainerStats[]> {
    const { sandboxId = "", ...more } = filter;
    return (await this.#call("ListContainerStats", { filter: { ...more, podSandboxId: sandboxId } })).stats.map(containerStatsOf);
  }

  async podSandboxStats(podSandboxId: string): Promise<PodSandboxStats> {
    const { stats } = await this.#call("PodSandboxStats", { podSandboxId });
    return sandboxStatsOf(there(stats, podSandboxId));
  }

  async listPodSandboxStats(filter: StatsFilter = {}): Promise<readonly PodSandboxStats[]> {
    return (await this.#call("ListPodSandboxStats", { filter })).stats.map(sandboxStatsOf);
  }

  async checkpointContainer(containerId: string, location: string, timeoutSeconds: number): Promise<void> {
    const timeout = Math.ceil(timeoutSeconds);
    const longest = timeout === 0 ? Number.POSITIVE_INFINITY : CALL_TIMEOUT_MS + timeout * 1000;
    await this.#call("CheckpointContainer", { containerId, location, timeout }, longest);
  }

  getContainerEvents(listener: (event: ContainerEvent) => void, onEnd: (error: Error) => void = () => {}): () => void {
    const tell = ({ containerId, containerEventType, podSandboxStatus }: MessageRead<"ContainerEventResponse">): void =>
      listener({ containerId, sandboxId: podSandboxStatus?.id ?? "", type: containerEventType });
    return this.#channel.events(tell, onEnd);
  }

  async #statusOf({ id, sandboxId }: Container): Promise<ContainerStatus | undefined> {
    try {
      const { status } = await this.#call("ContainerStatus", { containerId: id });
      return status && containerStatusOf(status, sandboxId);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #call<M extends Method>(
    method: M,
    request: MessageWritten<RequestName<M>>,
    timeoutMs?: number,
  ): Promise<MessageRead<ResponseName<M>>> {
    return this.#channel.call("RuntimeService", method, request, timeoutMs);
  }
}

/** What was to be ended or removed may be gone before. */
async function gone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

function there<T>(value: T | undefined, id: string): T {
  if (value === undefined) throw new NotFoundError(`the runtime knows nothing of ${id}`);
  return value;
}
