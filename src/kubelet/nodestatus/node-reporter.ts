import type { Node, NodeAddress } from "#api/generated/core/v1.ts";
import { isAlreadyExists } from "#apimachinery/api-errors/errors.ts";
import type { Clock, Timer } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { Logger } from "#component-base/logging.ts";
import { ensureCsiNode } from "../csi-node.ts";
import { NodeLease } from "../node-lease.ts";
import { initialNode, type NodeRequest, reconciledMetadata } from "./initial-node.ts";
import { type NodeFacts, nextStatus, statusHasChanged, statusPatch } from "./node-status.ts";

const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const FIELD_MANAGER = { fieldManager: "kubelet" };
/** Pauses between tries to register, in milliseconds: doubled up to the longest. */
const REGISTER_PAUSE_MS = 100;
const REGISTER_PAUSE_MAX_MS = 7_000;
/** While a node that has just started is not ready, it looks this often, for this long, in milliseconds. */
const FAST_PERIOD_MS = 100;
const FAST_UNTIL_MS = 30_000;
/** Tries of one status within a period (upstream's `nodeStatusUpdateRetry`). */
const STATUS_TRIES = 5;

/** How often a {@link NodeReporter} looks, and tells though nothing changed. */
export interface ReportPeriods {
  readonly updateMs: number;
  readonly reportMs: number;
  readonly leaseDurationSeconds: number;
}

/** What a {@link NodeReporter} is made of. */
export interface NodeReporterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
  readonly request: NodeRequest;
  /** `--register-node`: whether the Node object is made here, or by somebody else. */
  readonly register: boolean;
  readonly periods: ReportPeriods;
  /** Finds out how the node is now. */
  readonly facts: () => Promise<NodeFacts>;
  /** Told of the Node object each time that it was read or written. */
  readonly onNode?: (node: Node) => void;
}

/**
 * Makes a machine's Node object, keeps its status true and its Lease fresh (upstream's `registerWithAPIServer`,
 * `syncNodeStatus` and `nodeLeaseController`). While the API server is away it goes on trying.
 */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  readonly #lease: NodeLease;
  readonly #stopped = new AbortController();
  readonly #timers = new Set<Timer>();
  #node: Node | undefined;
  #registered = false;
  #hasCsiNode = false;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #unschedulable: boolean | undefined;
  #working: Promise<void> | undefined;
  #renewing = false;

  constructor(options: NodeReporterOptions) {
    this.#options = options;
    const { client, clock, request, periods } = options;
    const { nodeName } = request;
    const { leaseDurationSeconds } = periods;
    const nodeUid = async (): Promise<string> => (await this.#read()).metadata.uid ?? "";
    this.#lease = new NodeLease({ client, clock, nodeName, leaseDurationSeconds, nodeUid });
  }

  /** Begins. Registers in the background, so that pods of manifests run before there is an API server. */
  start(): void {
    const { clock, periods } = this.#options;
    this.#event("Normal", "Starting", "Starting kubelet.");
    this.#timers.add(clock.setInterval(() => void this.sync(), periods.updateMs));
    this.#timers.add(clock.setInterval(() => void this.#renew(), this.#lease.renewPeriodMs));
    void this.#begin();
  }

  /** Looks and tells now, as when something changed. A look that is under way is not doubled. Never rejects. */
  sync(): Promise<void> {
    this.#working ??= this.#sync().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  /** The Node object as it was seen last. */
  node(): Node | undefined {
    return this.#node;
  }

  /** Ends. The Node object stays as it is. */
  async close(): Promise<void> {
    this.#stopped.abort();
    for (const timer of this.#timers) timer.clear();
    await this.#working;
  }

  /** First steps: as fast as can be until the node is ready. */
  async #begin(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    await this.sync();
    await this.#renew();
    const end = clock.elapsed() + FAST_UNTIL_MS;
    while (!signal.aborted && clock.elapsed() < end && !this.#isReady()) {
      await clock.sleep(FAST_PERIOD_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.sync();
    }
  }

  #isReady(): boolean {
    return this.#node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  }

  async #sync(): Promise<void> {
    const { logger } = this.#options;
    const { signal } = this.#stopped;
    try {
      if (this.#options.register && !this.#registered) await this.#register();
      if (!signal.aborted && !this.#hasCsiNode) await this.#makeCsiNode();
      if (signal.aborted) return;
      await this.#update();
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "the node's status could not be told");
    }
  }

  async #register(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stopped;
    for (let pause = REGISTER_PAUSE_MS; !signal.aborted; pause = Math.min(2 * pause, REGISTER_PAUSE_MAX_MS)) {
      try {
        await this.#tryToRegister();
        this.#registered = true;
        return;
      } catch (error) {
        logger.info({ err: error }, "the node could not be registered; it is tried again");
        await clock.sleep(pause, signal).catch(() => undefined);
      }
    }
  }

  async #tryToRegister(): Promise<void> {
    const { client, request, logger, facts } = this.#options;
    const wanted = initialNode(request);
    const { status, events } = nextStatus(undefined, await facts());
    try {
      this.#seen(await client.create<Node>(NODES, "", { ...wanted, status }, FIELD_MANAGER));
      this.#tell(events);
      logger.info({ node: request.nodeName }, "the node is registered");
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const existing = await this.#read();
      const metadata = reconciledMetadata(wanted, existing);
      if (metadata !== undefined) await this.#patch({ metadata });
      logger.info({ node: request.nodeName }, "the node was registered before");
    }
  }

  /** Before the node is ready, when all goes well; only drivers of volumes would miss it, and it is tried again. */
  async #makeCsiNode(): Promise<void> {
    const { client, request, logger } = this.#options;
    try {
      const { metadata } = this.#node ?? (await this.#read());
      await ensureCsiNode(client, request.nodeName, metadata.uid ?? "");
      this.#hasCsiNode = true;
    } catch (error) {
      if (!this.#stopped.signal.aborted) logger.debug({ err: error }, "the node's CSINode could not be made");
    }
  }

  async #update(): Promise<void> {
    const { clock, periods, facts } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        const before = await this.#read();
        const { status, events } = nextStatus(before.status, await facts());
        const isDue = clock.elapsed() - this.#reportedAtMs >= periods.reportMs;
        if (!isDue && !statusHasChanged(before.status, status)) return;
        await this.#patch({ status: statusPatch(before.status, status) });
        this.#tell(events);
        this.#reportedAtMs = clock.elapsed();
        return;
      } catch (error) {
        if (attempt >= STATUS_TRIES || this.#stopped.signal.aborted) throw error;
      }
    }
  }

  async #renew(): Promise<void> {
    if (this.#renewing || this.#stopped.signal.aborted) return;
    this.#renewing = true;
    try {
      await this.#lease.renew();
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#options.logger.debug({ err: error }, "the node's lease could not be renewed");
    } finally {
      this.#renewing = false;
    }
  }

  async #read(): Promise<Node> {
    const { client, request } = this.#options;
    return this.#seen(await client.get<Node>(NODES, "", request.nodeName));
  }

  async #patch(patch: object): Promise<void> {
    const { client, request } = this.#options;
    const options = { ...FIELD_MANAGER, subresource: "status" };
    const type = "application/strategic-merge-patch+json";
    this.#seen(await client.patch<Node>(NODES, "", request.nodeName, type, patch, options));
  }

  #seen(node: Node): Node {
    this.#node = node;
    const unschedulable = node.spec?.unschedulable === true;
    if (unschedulable !== (this.#unschedulable ?? false)) {
      const reason = unschedulable ? "NodeNotSchedulable" : "NodeSchedulable";
      this.#tell([{ type: "Normal", reason, message: `Node ${node.metadata.name} status is now: ${reason}` }]);
    }
    this.#unschedulable = unschedulable;
    this.#options.onNode?.(node);
    return node;
  }

  #tell(events: readonly { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string }[]): void {
    for (const { type, reason, message } of events) this.#event(type, reason, message);
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    const { nodeName: name } = this.#options.request;
    // Upstream's nodes are known to events by their name, which is there before the object.
    this.#options.recorder.event({ kind: "Node", apiVersion: "v1", name, uid: name }, type, reason, message);
  }
}

/** The address that pods of the host network have. */
export function hostAddress(addresses: readonly NodeAddress[] | undefined): string | undefined {
  return addresses?.find(({ type }) => type === "InternalIP")?.address;
}
