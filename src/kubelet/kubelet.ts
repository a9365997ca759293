import type { Node, Pod } from "#api/generated/core/v1.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import type { Timer } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createEventRecorder, type EventRecorder } from "#client/event-recorder.ts";
import { type SharedInformer, SharedInformerFactory } from "#client/informer.ts";
import { FileSource } from "./config/file-source.ts";
import { HttpSource } from "./config/http-source.ts";
import { PodConfig } from "./config/pod-config.ts";
import type { RunningSource } from "./config/pod-source.ts";
import { fullNameOf, isMirrorPod, isStaticPod, type PodSource } from "./config/static-pod.ts";
import { RealHandlers } from "./handlers/real-handlers.ts";
import { ClientSources, noSources } from "./inside/sources.ts";
import type { KubeletOptions } from "./kubelet-options.ts";
import { Housekeeping } from "./kuberuntime/housekeeping.ts";
import { messageOf } from "./kuberuntime/message-of.ts";
import { PodLogs } from "./kuberuntime/pod-logs.ts";
import { RuntimeClasses } from "./kuberuntime/runtime-classes.ts";
import { terminationMessage } from "./kuberuntime/termination-message.ts";
import { PodStarts } from "./metrics/pod-starts.ts";
import { MirrorPods } from "./mirror/mirror-pods.ts";
import { endPods, SHUTTING_DOWN } from "./nodeshutdown/node-shutdown.ts";
import { shutdownGroups } from "./nodeshutdown/shutdown-groups.ts";
import { Pleg } from "./pleg/pleg.ts";
import type { Rejection } from "./pod-admission.ts";
import { PodEnvironment } from "./pod-environment.ts";
import type { PodStatusWriter } from "./pod-status-writer.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { PodWorkers } from "./pod-workers.ts";
import { RuntimeHealth } from "./runtime-health.ts";
import { StatusManager } from "./status-manager.ts";

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
/** How often is looked for what is left over, and mirror pods are compared, in milliseconds (upstream's `housekeepingPeriod`). */
const HOUSEKEEPING_MS = 2000;

const NO_RECORDER: EventRecorder = { event: () => {}, flush: async () => {} };

/**
 * The node agent on a real runtime: pods of manifests and of the API become containers, and the API is told how they are.
 * Containers go on when it is closed; the next one on the same machine takes them over.
 */
export class Kubelet {
  readonly health: RuntimeHealth;
  readonly #options: KubeletOptions;
  readonly #stopped = new AbortController();
  readonly #config: PodConfig;
  readonly #workers: PodWorkers;
  readonly #pleg: Pleg;
  readonly #housekeeping: Housekeeping;
  readonly #logs: PodLogs;
  readonly #sources: RunningSource[] = [];
  readonly #recorder: EventRecorder;
  readonly #mirrors: MirrorPods | undefined;
  #nodes: SharedInformer<Node> | undefined;
  #timer: Timer | undefined;
  readonly #starts: PodStarts;
  #isShuttingDown = false;

  private constructor(options: KubeletOptions, runtimeName: string) {
    const { client, clock, random, runtime, logger, nodeName, metrics } = options;
    this.#options = options;
    this.#starts = new PodStarts(clock, {
      ran: (seconds) => metrics?.podRan(seconds),
      started: (total, own) => metrics?.podStarted(total, own),
    });
    const { files, containerLogsDir } = options;
    this.#logs = new PodLogs({ files, ...(containerLogsDir === undefined ? {} : { containerLogsDir }) });
    this.#recorder =
      client === undefined
        ? NO_RECORDER
        : createEventRecorder({ client, clock, random, component: "kubelet", reportingInstance: nodeName, api: "core", logger });
    this.#pleg = new Pleg({
      runtime,
      clock,
      onPod: (uid) => this.#workers.wake(uid),
      ...(metrics === undefined ? {} : { metrics }),
    });
    this.health = new RuntimeHealth({ runtime, clock, pleg: this.#pleg });
    this.#mirrors = client === undefined ? undefined : this.#mirrorPods(client);
    this.#workers = new PodWorkers({
      modules: this.#workerModules(runtimeName),
      node: () => this.#node(),
      readNode: async () => client?.get<Node>(NODES, "", nodeName),
      ...(options.refuse === undefined ? {} : { refuse: options.refuse }),
      ...(metrics === undefined ? {} : { counts: metrics }),
      closed: () => (this.#isShuttingDown ? SHUTTING_DOWN : undefined),
      onGone: (pod) => {
        this.#mirrors?.forget(pod);
        metrics?.probes.forget(pod.metadata.uid ?? "");
        this.#starts.forget(pod.metadata.uid ?? "");
        options.resizeRecord?.allocated.remove(pod.metadata.uid ?? "");
        options.resizeRecord?.actuated.remove(pod.metadata.uid ?? "");
      },
      logger,
    });
    const { staticPodPath = "", staticPodURL = "" } = options.config;
    const expected: PodSource[] = [
      ...(staticPodPath === "" ? [] : (["file"] as const)),
      ...(staticPodURL === "" ? [] : (["http"] as const)),
      ...(client === undefined ? [] : (["api"] as const)),
    ];
    this.#config = new PodConfig(expected, clock, {
      changed: (pod) => {
        this.#starts.seen(pod);
        this.#workers.set(pod);
      },
      removed: (pod) => this.#workers.remove(pod),
    });
    this.#housekeeping = new Housekeeping({
      runtime,
      clock,
      logger,
      volumes: options.volumes,
      cgroups: options.containers,
      logs: this.#logs,
      podLogsDir: options.config.podLogsDir,
      known: () => this.#workers.uids,
      ...(metrics === undefined ? {} : { counts: metrics }),
    });
  }

  /** Resolves when the runtime has answered and manifests were read. Rejects when the runtime does not answer. */
  static async start(options: KubeletOptions): Promise<Kubelet> {
    const { runtimeName } = await options.runtime.version();
    await options.containers.start();
    const kubelet = new Kubelet(options, runtimeName);
    await kubelet.#start();
    return kubelet;
  }

  /** The pods of this node, with their status as it is known here. */
  pods(): readonly Pod[] {
    return this.#workers.all.map((worker) => worker.podWithStatus);
  }

  /** Every source has told its pods. */
  get isComplete(): boolean {
    return this.#config.isComplete;
  }

  /**
   * The machine goes down: no pod is taken on any more, and all are ended by priority, as `shutdownGracePeriod` and its like
   * say. Resolves when that is done, at once where nothing is configured.
   */
  async shutDown(): Promise<void> {
    const groups = shutdownGroups(this.#options.config);
    if (groups.length === 0) return;
    this.#isShuttingDown = true;
    const { clock, logger, metrics } = this.#options;
    const ended = metrics?.shutdown(clock.now() / 1000);
    await endPods({ groups, workers: this.#workers.all, clock, logger });
    ended?.(clock.now() / 1000);
  }

  /** Ends a pod as failed; resolves when nothing of it runs any more, at once for pods that are not here. */
  async evict({ metadata }: Pod, failure: Rejection, graceSeconds: number): Promise<void> {
    await this.#workers.all.find(({ pod }) => pod.metadata.uid === metadata.uid)?.fail(failure, graceSeconds);
  }

  /** An image was pulled for a pod, for so many seconds. */
  pulled(podUid: string, seconds: number): void {
    this.#starts.pulled(podUid, seconds);
  }

  /** The pods that use something of the node. */
  activePods(): readonly Pod[] {
    return this.#workers.all.filter(({ active }) => active).map(({ pod }) => pod);
  }

  /** Ends all timers, watches and probes, and leaves containers running. */
  async close(): Promise<void> {
    this.#stopped.abort(new Error("the kubelet is stopping"));
    this.#timer?.clear();
    for (const source of this.#sources) source.stop();
    this.#pleg.stop();
    this.health.stop();
    this.#workers.stop();
    const { resizeRecord } = this.#options;
    await Promise.all([this.#recorder.flush(), resizeRecord?.allocated.flush(), resizeRecord?.actuated.flush()]);
  }

  async #start(): Promise<void> {
    const { clock, client, random } = this.#options;
    await this.health.start();
    this.#pleg.start();
    if (client !== undefined) this.#watchApi(new SharedInformerFactory({ client, clock, random }));
    await this.#startManifests();
    this.#timer = clock.setInterval(() => void this.#keepHouse(), HOUSEKEEPING_MS, { unref: true });
  }

  #watchApi(factory: SharedInformerFactory): void {
    const { nodeName } = this.#options;
    this.#nodes = factory.informer<Node>(NODES, { fieldSelector: `metadata.name=${nodeName}` });
    const pods = factory.informer<Pod>(PODS, { fieldSelector: `spec.nodeName=${nodeName}` });
    pods.addHandler({
      onAdd: (pod) => this.#apiPod(pod),
      onUpdate: (_old, pod) => this.#apiPod(pod),
      onDelete: (pod) => {
        if (isMirrorPod(pod)) this.#mirrors?.gone(pod);
        else this.#config.remove("api", pod);
      },
    });
    factory.start(this.#stopped.signal);
    void pods.waitForSync().then(() => this.#config.complete("api"));
  }

  #apiPod(pod: Pod): void {
    if (isMirrorPod(pod)) this.#mirrors?.seen(pod);
    else this.#config.set("api", pod);
  }

  async #startManifests(): Promise<void> {
    const { config, nodeName, decodeManifest, fetchManifest, files, watchFolder, clock, logger } = this.#options;
    const { staticPodPath: path = "", staticPodURL: url = "", staticPodURLHeader: headers = {} } = config;
    const common = { nodeName, decodeManifest, clock, logger };
    if (path !== "") {
      const periodMs = parseGoDuration(config.fileCheckFrequency);
      const take = (pods: readonly Pod[]): void => this.#takeStatic("file", pods);
      this.#sources.push(await FileSource.start({ ...common, path, periodMs, files, watchFolder, take }));
    }
    if (url !== "") {
      const periodMs = parseGoDuration(config.httpCheckFrequency);
      const take = (pods: readonly Pod[]): void => this.#takeStatic("http", pods);
      this.#sources.push(new HttpSource({ ...common, url, headers, periodMs, fetchManifest, take }));
    }
  }

  #takeStatic(source: "file" | "http", pods: readonly Pod[]): void {
    this.#config.take(source, pods);
    void this.#reconcileMirrors();
  }

  async #keepHouse(): Promise<void> {
    await this.#reconcileMirrors();
    // What a source has not told yet must not be taken for gone.
    if (!this.#config.isComplete) return;
    const { resizeRecord } = this.#options;
    resizeRecord?.allocated.keepOnly(this.#workers.uids);
    resizeRecord?.actuated.keepOnly(this.#workers.uids);
    await this.#housekeeping.run();
  }

  async #reconcileMirrors(): Promise<void> {
    await this.#mirrors?.reconcile(this.#staticPods());
  }

  #staticPods(): readonly Pod[] {
    return this.#workers.all.map(({ pod }) => pod).filter(isStaticPod);
  }

  #node(): Node | undefined {
    return this.#nodes?.lister.get("", this.#options.nodeName) ?? this.#options.ownNode();
  }

  #mirrorPods(client: Client): MirrorPods {
    const { clock, logger, nodeName } = this.#options;
    return new MirrorPods({
      client,
      logger,
      statusManager: new StatusManager({
        client,
        clock,
        logger,
        signal: this.#stopped.signal,
        onSynced: (seconds) => this.#options.metrics?.statusSynced(seconds),
      }),
      node: () => this.#nodes?.lister.get("", nodeName),
      staticPod: (fullName) => this.#staticPods().find((pod) => fullNameOf(pod) === fullName),
    });
  }

  #workerModules(runtimeName: string): PodWorkerModules {
    const { client, clock, runtime, containers, volumes, files, config, logger } = this.#options;
    const sources = this.#options.sources ?? (client === undefined ? noSources : new ClientSources({ client, clock }));
    const writer: PodStatusWriter = this.#mirrors ?? { write: () => {} };
    const { metrics, resizeRecord } = this.#options;
    const { maxContainerRestartPeriod: restartPeriod } = config.crashLoopBackOff;
    const logs = this.#logs;
    const classes = new RuntimeClasses({ client, clock });
    const handlers = new RealHandlers({ runtime, clock });
    return {
      runtime,
      runtimeName,
      statusManager: {
        write: (pod, status, final) => {
          this.#starts.told(pod, status);
          writer.write(pod, status, final);
        },
      },
      recorder: this.#recorder,
      clock,
      hostIps: this.#options.hostIps,
      handlers: metrics?.probes.metered(handlers, clock) ?? handlers,
      environment: new PodEnvironment({
        sources,
        clock,
        allocatable: () => containers.allocatable(),
        ...(volumes.envFileValue === undefined ? {} : { envFileValue: volumes.envFileValue.bind(volumes) }),
        tellsServices: true,
      }),
      volumes,
      cgroups: containers,
      images: this.#options.images,
      security: this.#options.security,
      sandboxes: {
        networkProblem: () => this.health.networkProblem(),
        podLogsDir: config.podLogsDir,
        clusterDomain: config.clusterDomain ?? "",
        dns: this.#options.dns,
        runtimeHandler: (pod) => classes.handlerOf(pod),
        makeLogFolder: (path) => logs.make(path),
        removeLogFolder: (path) => logs.remove(path),
        linkLog: (pod, container, id, path) => logs.link(pod, container, id, path),
      },
      terminationMessage: (status) => terminationMessage(status, files),
      // What pods were given that are not known yet would be given a second time.
      resizeProblem: (pod) => (this.#config.isComplete ? this.#workers.resizeProblem(pod) : "later"),
      ...(resizeRecord === undefined ? {} : { resizeRecord }),
      ...(metrics === undefined ? {} : { counts: metrics }),
      onSyncError: ({ metadata }, error) => {
        const { name = "", namespace = "" } = metadata;
        logger.warn({ pod: `${namespace}/${name}`, err: messageOf(error) }, "a pod could not be brought further");
      },
      ...(restartPeriod === undefined ? {} : { restartDelayMaxMs: parseGoDuration(restartPeriod) }),
      resyncMs: parseGoDuration(config.syncFrequency),
    };
  }
}
