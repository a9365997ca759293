import type { Node, Pod } from "#api/generated/core/v1.ts";
import { assert } from "#base/assert.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { type SharedInformer, SharedInformerFactory } from "#client/informer.ts";
import { ALL_LIMITS, Allowance } from "#cri/fake/allowance.ts";
import type { SimulationHooks } from "#cri/fake/hooks.ts";
import { startHeartbeats } from "./heartbeats.ts";
import { ClientSources } from "./inside/sources.ts";
import type { NodeAuthority } from "./node-authority.ts";
import { LEASE_DURATION_SECONDS } from "./node-lease.ts";
import { NODES_MAX, nodeIdentity } from "./node-object.ts";
import { NodeRegistration } from "./node-registration.ts";
import type { KubeletAuth } from "./server/kubelet-auth.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { type SharedModules, SimulatedNode } from "./simulated-node.ts";
import { StatusManager } from "./status-manager.ts";

/** Options of {@link startSimulatedNodes}. */
export interface SimulatedNodesOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** How many nodes; at most {@link NODES_MAX}. */
  readonly count: number;
  /** Nodes are called `<namePrefix>0`, `<namePrefix>1`, ... */
  readonly namePrefix: string;
  /** Which addresses nodes and pods have, the cluster's default family first. Only `IPv4` when absent. */
  readonly families?: readonly string[];
  readonly signal: AbortSignal;
  /** How long a node's Lease says that it lives; it is renewed four times in that. {@link LEASE_DURATION_SECONDS} when absent. */
  readonly leaseDurationSeconds?: number;
  /** What a test puts in the place of what containers do by default. */
  readonly hooks?: SimulationHooks;
  /** Where the nodes and their pods are to be reached. */
  readonly network?: SimulatedNetwork;
  /** What the nodes' own servers prove themselves with, and whom they believe. Without it they answer nobody. */
  readonly authority?: NodeAuthority;
}

export type { SimulationHooks };

/** Simulated nodes that run. */
export interface SimulatedNodes {
  /** Stops all. Nodes and pods stay in the API as they are. */
  stop(): Promise<void>;
  /** Lets a node fail: no heartbeats, no statuses, nothing starts or ends. */
  stopNode(name: string): void;
  /** Ends a node's failure. Resolves when the API knows that it is ready. */
  startNode(name: string): Promise<void>;
}

interface Member {
  readonly node: SimulatedNode;
  readonly registration: NodeRegistration;
}

const PODS: ResourceId = { group: "", version: "v1", resource: "pods" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const REGISTER_ATTEMPTS_MAX = 30;
const REGISTER_RETRY_MS = 1000;
/** Nodes whose CSINodes are there from the start, as upstream's; those of more come with their first heartbeats, for a quick start. */
const EARLY_CSI_NODES = 16;
/** Nodes that register at once. */
const CONCURRENT_REGISTRATIONS = 128;

/**
 * Starts nodes whose containers only pretend to run. All share one informer, one status writer and one timer for
 * heartbeats, so that a thousand of them cost little. Resolves when all are registered and ready.
 */
export async function startSimulatedNodes(options: SimulatedNodesOptions): Promise<SimulatedNodes> {
  const { client, clock, random, count, namePrefix, leaseDurationSeconds = LEASE_DURATION_SECONDS } = options;
  assert(count <= NODES_MAX, `at most ${NODES_MAX} simulated nodes`);
  const network = options.network ?? new SimulatedNetwork();
  const stopped = new AbortController();
  const signal = AbortSignal.any([options.signal, stopped.signal]);
  const statusManager = new StatusManager({ client, clock, signal });
  const recorderFor = (node: string): ReturnType<typeof createEventRecorder> =>
    createEventRecorder({ client, clock, random, component: "kubelet", reportingInstance: node, api: "core" });
  const factory = new SharedInformerFactory({ client, clock, random });
  const nodes = factory.informer<Node>(NODES);
  let auth: Promise<KubeletAuth> | undefined;
  const shared: SharedModules = {
    clock,
    random,
    podServer: network.podServer,
    allowance: new Allowance(ALL_LIMITS),
    ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
    sources: new ClientSources({ client, clock }),
    statusManager,
    recorderFor,
    ...(options.authority === undefined ? {} : { authority: options.authority }),
    auth: () => {
      auth ??= import("./server/kubelet-auth.ts").then(({ KubeletAuth }) => new KubeletAuth({ client, clock }));
      return auth;
    },
    nodeSeen: (name) => nodes.lister.get("", name),
    readNode: (name) => client.get<Node>(NODES, "", name),
  };
  const members = new Map<string, Member>();
  for (let index = 0; index < count; index++) {
    const identity = nodeIdentity(index, `${namePrefix}${index}`, options.families);
    const node = new SimulatedNode(identity, shared);
    network.add(node, identity.podCidr);
    const seen = (): Node | undefined => nodes.lister.get("", identity.name);
    const registration = new NodeRegistration(identity, { client, clock, leaseDurationSeconds, seen });
    members.set(identity.name, { node, registration });
  }
  if (count === 0) return { stop: async () => stopped.abort(), stopNode: () => {}, startNode: async () => {} };
  await registerAll([...members.values()], clock, signal);
  await Promise.all([...members.values()].slice(0, EARLY_CSI_NODES).map(({ registration }) => registration.makeCsiNode()));
  // The server sends only pods that are on some node.
  watchPods(factory.informer<Pod>(PODS, { fieldSelector: "spec.nodeName!=" }), members);
  factory.start(signal);
  await factory.waitForSync();
  const alive = (): readonly NodeRegistration[] => [...members.values()].map(({ registration }) => registration);
  const heartbeats = startHeartbeats(alive(), (name) => members.get(name)?.node.running === true, clock);
  return {
    async stop() {
      stopped.abort();
      heartbeats.clear();
      for (const { node } of members.values()) node.close();
      network.close();
    },
    stopNode: (name) => members.get(name)?.node.pause(),
    async startNode(name) {
      const member = members.get(name);
      assert(member !== undefined, `no simulated node ${name}`);
      member.node.resume();
      await member.registration.beat();
      await member.registration.tellReady();
    },
  };
}

function watchPods(informer: SharedInformer<Pod>, members: ReadonlyMap<string, Member>): void {
  const nodeOf = (pod: Pod): SimulatedNode | undefined => members.get(pod.spec.nodeName ?? "")?.node;
  informer.addHandler({
    onAdd: (pod) => nodeOf(pod)?.podChanged(pod),
    onUpdate: (_old, pod) => nodeOf(pod)?.podChanged(pod),
    onDelete: (pod) => nodeOf(pod)?.podRemoved(pod),
  });
}

async function registerAll(members: readonly Member[], clock: Clock, signal: AbortSignal): Promise<void> {
  const waiting = [...members];
  const work = async (): Promise<void> => {
    for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
      await registerOne(member.registration, clock, signal);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_REGISTRATIONS }, work));
}

// The API server may not be ready yet: its default namespaces come a moment after it answers.
async function registerOne(registration: NodeRegistration, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await registration.register();
      return;
    } catch (error) {
      if (attempt >= REGISTER_ATTEMPTS_MAX || signal.aborted) throw error;
      await clock.sleep(REGISTER_RETRY_MS, signal);
    }
  }
}
