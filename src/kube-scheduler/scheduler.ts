import type { ReplicaSet, StatefulSet } from "#api/generated/apps/v1.ts";
import type {
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  Service,
} from "#api/generated/core/v1.ts";
import type { PodDisruptionBudget } from "#api/generated/policy/v1.ts";
import type { StorageClass } from "#api/generated/storage/v1.ts";
import { type LabelSelector, selectorFromSet } from "#apimachinery/labels/selector.ts";
import { SelectorPool } from "#apimachinery/labels/selector-pool.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { runLeaderElection } from "#client/leader-election.ts";
import type { ElectionSettings } from "#client/lease-candidate.ts";
import { VolumePool } from "#component-helpers/storage/volume-pool.ts";
import { SchedulerCache } from "./cache/scheduler-cache.ts";
import { NODES, PODS_NOT_ENDED, watchCluster, watchVolumes } from "./event-handlers.ts";
import { evictVictims } from "./evictor.ts";
import type { ClusterLister } from "./framework/cluster-lister.ts";
import { Framework } from "./framework/framework.ts";
import { SUCCESS } from "./framework/status.ts";
import { victimSelector } from "./plugins/default-preemption/victim-selector.ts";
import { defaultPlugins } from "./plugins/registry.ts";
import { PODS, PodStatusWriter } from "./pod-status-writer.ts";
import { Nominator } from "./queue/nominator.ts";
import { SchedulingQueue } from "./queue/scheduling-queue.ts";
import { PodPlacer } from "./schedule-pod.ts";
import { SchedulingLoop } from "./scheduling-loop.ts";

const SCHEDULER_NAME = "default-scheduler";
const BUDGETS: ResourceId = { group: "policy", version: "v1", resource: "poddisruptionbudgets" };
const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const apps = (resource: string): ResourceId => ({ group: "apps", version: "v1", resource });
const CLAIMS: ResourceId = core("persistentvolumeclaims");
const VOLUMES: ResourceId = core("persistentvolumes");
const CLASSES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "storageclasses" };
const LEASE = { namespace: "kube-system", name: "kube-scheduler" };

/** Where the scheduler writes what users of the API do not see. */
export interface SchedulerLogger {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Options of {@link startScheduler}. */
export interface SchedulerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: SchedulerLogger;
  /** Ends the scheduler, as `stop` does. */
  readonly signal: AbortSignal;
  /** Unique among schedulers; shown in the Lease and in events. */
  readonly identity: string;
  /** Work only while holding the Lease `kube-system/kube-scheduler`. */
  readonly leaderElect: boolean;
  readonly election?: ElectionSettings;
  /** How many of the fitting nodes to rate, of a hundred; 0 lets the size of the cluster decide. */
  readonly percentageOfNodesToScore?: number;
}

/** A scheduler that was started. */
export interface RunningScheduler {
  /** Resolves when it works: it leads, and knows all nodes and pods. */
  readonly ready: Promise<void>;
  /** What `/healthz` says. */
  healthz(): boolean;
  stop(): Promise<void>;
}

/** What `/healthz` of a scheduler says: it was started and has not ended, whether it leads or stands by. */
export function schedulerHealthz(scheduler: RunningScheduler): boolean {
  return scheduler.healthz();
}

/** Starts the scheduler and returns at once. */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  let resolveReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    resolveReady = resolve;
  });
  const ended = (options.leaderElect ? leadAndSchedule(options, signal, resolveReady) : schedule(options, signal, resolveReady))
    .catch((error: unknown) => {
      noteDefect("the scheduler", error);
      if (!signal.aborted) options.logger?.error({ err: error }, "the scheduler has ended");
    })
    .finally(() => stopping.abort());
  return {
    ready,
    healthz: () => !signal.aborted,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** Schedules whenever it leads, and stands again when it has lost the Lease. */
async function leadAndSchedule(options: SchedulerOptions, signal: AbortSignal, onReady: () => void): Promise<void> {
  const { client, clock, identity } = options;
  while (!signal.aborted) {
    let term: Promise<void> = Promise.resolve();
    await runLeaderElection({
      client,
      clock,
      identity,
      lease: LEASE,
      ...options.election,
      signal,
      onStoppedLeading: () => term.catch(() => undefined),
      onStartedLeading: ({ signal: leading, fence }) => {
        term = schedule({ ...options, client: fence(client) }, AbortSignal.any([leading, signal]), onReady);
        // Awaited below; must not count as unhandled until then.
        term.catch(() => undefined);
      },
    });
    await term;
  }
}

async function schedule(options: SchedulerOptions, signal: AbortSignal, onReady: () => void): Promise<void> {
  const { client, clock, random, identity, logger } = options;
  const informers = new SharedInformerFactory({ client, clock, random });
  const pods = informers.informer<Pod>(PODS, { fieldSelector: PODS_NOT_ENDED });
  const nodes = informers.informer<Node>(NODES);
  const budgets = new SelectorPool<PodDisruptionBudget>(victimSelector);
  informers.informer<PodDisruptionBudget>(BUDGETS).addTally(budgets);
  const reportingInstance = `${SCHEDULER_NAME}-${identity}`.slice(0, 128);
  const recorder = createEventRecorder({ client, clock, random, component: SCHEDULER_NAME, reportingInstance, api: "events" });
  const statusWriter = new PodStatusWriter({ client, clock });
  const cache = new SchedulerCache();
  const nominator = new Nominator();
  const framework: Framework = new Framework(
    defaultPlugins({
      client,
      clock,
      cluster: clusterLister(informers, cache),
      preemption: {
        random,
        nodes: () => cache.nodes,
        budgetsOf: ({ metadata }) => budgets.selecting(metadata),
        nominatedNodeOf: (uid) => nominator.nodeOf(uid),
        filter: (state, pod, node) => placer.filter(state, pod, node)?.status ?? SUCCESS,
        evict: (victims, preemptor, nodeName) =>
          void evictVictims({ client, statusWriter, recorder }, victims, preemptor, nodeName, [
            ...nominator.podsOn(nodeName).values(),
          ]).catch((error: unknown) => logger?.error({ err: error, node: nodeName }, "preemption failed")),
      },
    }),
  );
  const percentageOfNodesToScore = options.percentageOfNodesToScore ?? 0;
  const placer: PodPlacer = new PodPlacer({ framework, cache, nominator, random, percentageOfNodesToScore });
  const queue: SchedulingQueue = new SchedulingQueue({ framework, clock, onReady: () => loop.wake() });
  const loop: SchedulingLoop = new SchedulingLoop({
    clock,
    framework,
    placer,
    cache,
    queue,
    nominator,
    pods: pods.lister,
    recorder,
    statusWriter,
  });
  const unwatch = watchCluster(pods, nodes, { cache, queue, nominator, schedulerName: SCHEDULER_NAME });
  const unwatchVolumes = watchVolumes(
    {
      claims: informers.informer<PersistentVolumeClaim>(CLAIMS),
      volumes: informers.informer<PersistentVolume>(VOLUMES),
      classes: informers.informer<StorageClass>(CLASSES),
    },
    queue,
  );
  try {
    if (signal.aborted) return;
    informers.start(signal);
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.race([informers.waitForSync(), aborted]);
    if (signal.aborted) return;
    onReady();
    await loop.run(signal);
    await recorder.flush();
  } finally {
    unwatch();
    unwatchVolumes();
    queue.close();
  }
}

/** What plugins see of the cluster, out of informers of its own. */
function clusterLister(informers: SharedInformerFactory, cache: SchedulerCache): ClusterLister {
  const namespaces = informers.informer<Namespace>(core("namespaces")).lister;
  const pods = informers.informer<Pod>(PODS, { fieldSelector: PODS_NOT_ENDED }).lister;
  const claims = informers.informer<PersistentVolumeClaim>(CLAIMS).lister;
  const volumes = informers.informer<PersistentVolume>(VOLUMES);
  const pool = new VolumePool();
  volumes.addTally(pool);
  const classes = informers.informer<StorageClass>(CLASSES).lister;
  const services = new SelectorPool<Service>(serviceSelector);
  informers.informer<Service>(core("services")).addTally(services);
  const replicationControllers = informers.informer<ReplicationController>(core("replicationcontrollers")).lister;
  const replicaSets = informers.informer<ReplicaSet>(apps("replicasets")).lister;
  const statefulSets = informers.informer<StatefulSet>(apps("statefulsets")).lister;
  return {
    nodes: () => cache.nodeList,
    node: (name) => cache.node(name),
    lowestPriority: () => cache.lowestPriority,
    pod: (namespace, name) => pods.get(namespace, name),
    claim: (namespace, name) => claims.get(namespace, name),
    volume: (name) => volumes.lister.get("", name),
    volumes: () => pool,
    storageClass: (name) => classes.get("", name),
    namespaceLabels: (namespace) => namespaces.get("", namespace)?.metadata.labels,
    servicesOf: ({ metadata }) => services.selecting(metadata),
    replicationController: (namespace, name) => replicationControllers.get(namespace, name),
    replicaSet: (namespace, name) => replicaSets.get(namespace, name),
    statefulSet: (namespace, name) => statefulSets.get(namespace, name),
  };
}

/** A service without selector means no pod. */
function serviceSelector({ spec }: Service): LabelSelector | undefined {
  const selector = selectorFromSet(spec?.selector);
  return selector.empty ? undefined : selector;
}
