import type { Node, NodeAddress } from "#api/generated/core/v1.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { RestClient } from "#client/rest-client.ts";
import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";
import type { Image, ImageService } from "#cri/image-service.ts";
import type { RuntimeService } from "#cri/runtime-service.ts";
import type { RuntimeVersion } from "#cri/runtime-status.ts";
import type { AmountTexts, KubeletConfiguration } from "#kubelet/configuration/kubelet-configuration.ts";
import type { Amounts } from "#kubelet/inside/resource-values.ts";
import type { Pressures } from "#kubelet/nodestatus/conditions.ts";
import { initialNode, type NodeRequest } from "#kubelet/nodestatus/initial-node.ts";
import type { Machine, MachineInfo } from "#kubelet/nodestatus/machine.ts";
import { type AddressRequest, chooseAddresses } from "#kubelet/nodestatus/node-addresses.ts";
import { nodeLabelsProblem, parseNodeLabels } from "#kubelet/nodestatus/node-labels.ts";
import { NodeReporter } from "#kubelet/nodestatus/node-reporter.ts";
import { type NodeFacts, nextStatus } from "#kubelet/nodestatus/node-status.ts";
import type { RuntimeView } from "#kubelet/nodestatus/runtime-problems.ts";
import type { KubeletFlags } from "./flags.ts";

/** How long a list of images counts, in milliseconds: runtimes read disks for it. */
const IMAGES_TTL_MS = 30_000;
/** What a pod of a machine without any network has for the machine's address. */
const NO_NETWORK = "127.0.0.1";

/** What a node's own facts are found out with. */
export interface NodeMakeUp {
  readonly flags: KubeletFlags;
  readonly configuration: KubeletConfiguration;
  readonly nodeName: string;
  readonly machine: Machine;
  readonly info: MachineInfo;
  readonly capacity: () => AmountTexts | Amounts;
  readonly allocatable: () => AmountTexts | Amounts;
  readonly runtime: RuntimeService;
  readonly images: ImageService;
  readonly kubeletPort: number;
  /** Gives pods a network in the ranges that the cluster gave the node; where there is none, somebody else does. */
  readonly giveNetwork?: (podCidrs: readonly string[]) => Promise<void>;
  readonly logger: Logger;
}

/** What a kubelet that runs says of itself. */
export interface NodeHealth {
  readonly view: RuntimeView;
  /** Why no pods can be run. */
  runtimeProblems(): readonly string[];
}

/** This machine as a node: its addresses, its status, and who tells the API server of them. */
export class OwnNode {
  readonly #made: NodeMakeUp;
  readonly #request: NodeRequest;
  readonly #addressRequest: AddressRequest;
  #addresses: readonly NodeAddress[] | undefined;
  #version: RuntimeVersion | undefined;
  #images: { readonly list: readonly Image[]; readonly atMs: number } | undefined;
  #health: NodeHealth | undefined;
  #pressures: () => Pressures = () => ({ memory: false, disk: false, pid: false });
  #podCidrs = "";
  #isShuttingDown = false;

  private constructor(made: NodeMakeUp, request: NodeRequest, addressRequest: AddressRequest) {
    this.#made = made;
    this.#request = request;
    this.#addressRequest = addressRequest;
  }

  /** Throws a {@link FlagError} for labels and addresses that no node can have. */
  static async find(made: NodeMakeUp): Promise<OwnNode> {
    const { flags, configuration, nodeName, info } = made;
    const labels = parseNodeLabels(flags["node-labels"]);
    const problem = nodeLabelsProblem(labels);
    if (problem !== undefined) throw new FlagError(problem);
    const request: NodeRequest = {
      nodeName,
      hostname: nodeName,
      architecture: info.architecture,
      labels,
      taints: configuration.registerWithTaints ?? [],
      schedulable: flags["register-schedulable"],
      providerId: configuration.providerID ?? "",
      externalCloud: flags["cloud-provider"] === "external",
      controllerAttach: configuration.enableControllerAttachDetach,
    };
    const nodeIps = flags["node-ip"].split(",").filter((ip) => ip !== "");
    if (nodeIps.length > 2) throw new FlagError(`flag --node-ip takes one or two addresses, not "${flags["node-ip"]}"`);
    const node = new OwnNode(made, request, { nodeName, hostname: nodeName, nodeIps });
    await node.#lookForAddresses();
    return node;
  }

  /** What pods have for the node's addresses. */
  get hostIps(): readonly string[] {
    const found = this.addresses().filter(({ type }) => type === "InternalIP");
    return found.length === 0 ? [NO_NETWORK] : found.map(({ address }) => address);
  }

  addresses(): readonly NodeAddress[] {
    return this.#addresses ?? [];
  }

  /** The Node as it would be registered. */
  own(): Node {
    const { capacity, allocatable, info, kubeletPort } = this.#made;
    const status = {
      capacity: capacity(),
      allocatable: allocatable(),
      addresses: this.addresses(),
      daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
      nodeInfo: { bootID: info.bootId },
    };
    return { ...initialNode(this.#request), status } as unknown as Node;
  }

  /** From now on the status tells how the kubelet is. */
  watch(health: NodeHealth, pressures?: () => Pressures): void {
    this.#health = health;
    if (pressures !== undefined) this.#pressures = pressures;
  }

  /** From now on the node is not ready: the machine goes down. */
  shutDown(): void {
    this.#isShuttingDown = true;
  }

  /** Tells the API server. */
  report(client: RestClient): NodeReporter {
    const { configuration, nodeName, logger } = this.#made;
    const recorder = createEventRecorder({
      client,
      clock: realClock,
      random: systemRandom,
      component: "kubelet",
      reportingInstance: nodeName,
      api: "core",
      logger,
    });
    const reporter = new NodeReporter({
      client,
      clock: realClock,
      logger,
      recorder,
      request: this.#request,
      register: configuration.registerNode,
      periods: {
        updateMs: parseGoDuration(configuration.nodeStatusUpdateFrequency),
        reportMs: parseGoDuration(configuration.nodeStatusReportFrequency),
        leaseDurationSeconds: configuration.nodeLeaseDurationSeconds,
      },
      facts: () => this.facts(),
      onNode: (node) => this.#takePodCidrs(node),
    });
    reporter.start();
    return reporter;
  }

  /** How the node is now. */
  async facts(): Promise<NodeFacts> {
    const { configuration, nodeName, info, capacity, allocatable, kubeletPort, runtime } = this.#made;
    await this.#lookForAddresses();
    this.#version ??= await runtime.version().catch(() => undefined);
    return {
      nodeName,
      nowMs: realClock.now(),
      machine: info,
      capacity: textsOf(capacity()),
      allocatable: textsOf(allocatable()),
      addresses: this.#addresses,
      kubeletPort,
      runtime: { version: this.#version, status: this.#health?.view.status },
      images: await this.#listImages(),
      imagesMax: configuration.nodeStatusMaxImages,
      pressures: this.#pressures(),
      problems: this.#problems(),
      countsDisk: configuration.localStorageCapacityIsolation,
      volumesInUse: [],
    };
  }

  #problems(): readonly string[] {
    const problems = this.#health?.runtimeProblems() ?? ["container runtime status check may not have completed yet"];
    return this.#isShuttingDown ? [...problems, "node is shutting down"] : problems;
  }

  async #lookForAddresses(): Promise<void> {
    try {
      this.#addresses = await chooseAddresses(this.#addressRequest, this.#made.machine);
    } catch (error) {
      this.#made.logger.warn({ err: error }, "the node's addresses cannot be found out");
    }
  }

  async #listImages(): Promise<readonly Image[]> {
    const now = realClock.elapsed();
    if (this.#images === undefined || now - this.#images.atMs >= IMAGES_TTL_MS) {
      const list = await this.#made.images.listImages().catch(() => this.#images?.list ?? []);
      this.#images = { list, atMs: now };
    }
    return this.#images.list;
  }

  #takePodCidrs({ spec }: Node): void {
    const all = (spec?.podCIDRs ?? []).join(",");
    if (all === "" || all === this.#podCidrs) return;
    this.#podCidrs = all;
    const { runtime, giveNetwork, logger } = this.#made;
    const told = Promise.all([runtime.updatePodCidr(all), giveNetwork?.(all.split(","))]);
    told.catch((error: unknown) => {
      this.#podCidrs = "";
      logger.warn({ err: error, podCidrs: all }, "the addresses of pods could not be set up");
    });
  }
}

/** The status of the node's first moment, for who shows it before there is an API server. */
export function firstStatus(facts: NodeFacts): NonNullable<Node["status"]> {
  return nextStatus(undefined, facts).status;
}

function textsOf(amounts: AmountTexts | Amounts): AmountTexts {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
}
