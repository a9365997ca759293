import { setMaxListeners } from "node:events";
import type { Deployment } from "#api/generated/apps/v1.ts";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { type Random, seededRandom, systemRandom } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { type SimulatedNodes, startSimulatedNodes } from "#kubelet/simulated-nodes.ts";
import type { Silence } from "../history/answers.ts";
import { successions } from "../history/leadership.ts";
import type { Wanted } from "../history/replicas.ts";
import { eventually } from "../kubectl.ts";
import { type Elected, leaseChanges, leaseGaps, machineOf, shownLease } from "./elected.ts";
import { judged, summaryOf } from "./judgement.ts";
import { allTold, lastLists, settled } from "./last-state.ts";
import type { MachineProcess } from "./machine-process.ts";
import type { Masters } from "./masters.ts";
import { shownPod } from "./pods-seen.ts";
import { RecordedClient, Recording } from "./recorded-client.ts";
import { RecordedWatcher, type Watched } from "./recorded-watcher.ts";
import { CONFIG_MAPS, isAtServer, PLACES, type Place, PODS, RECOVERY_MS, type Seen } from "./seen.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const NAMESPACES = core("namespaces");
const DEPLOYMENTS: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };

/** Objects that are called at one time. */
const KEYS = 6;
const DEPLOYMENTS_COUNT = 3;
const REPLICAS_MAX = 6;
const NODES = 4;
/** Clients that come through the balancer; each server has one of its own too. */
const BALANCED_CLIENTS = ["balanced-0", "balanced-1", "balanced-2"] as const;
const SERVERS = [0, 1, 2] as const;
/** After a silence connections are tried again as late as the silence was long, and this. */
const TRIED_AGAIN_MS = 5_000;
/** For as long a connection may go on being silent that was cut: its next attempt to send is as far off as the cut was long, and more. */
const SILENT_CONNECTION_MS = 60_000;
/** As a leader waits for the answers to its last writes. */
const LATE_ANSWER_MS = 5_000;

function clientsAt(place: Place): readonly string[] {
  return place === "balancer" ? BALANCED_CLIENTS : [`at-${place}`];
}

/** Clients that work on several masters, while somebody makes faults; and the judgement of what they saw. */
export class Trial implements AsyncDisposable {
  readonly masters: Masters;
  readonly random: Random;
  readonly recording: Recording = new Recording();
  /** Ends the clients. */
  readonly #stopping = new AbortController();
  readonly #clientsEnded: Promise<unknown>[] = [];
  /** Ends the watchers and the nodes, who go on until everything has been told. */
  readonly #closing = new AbortController();
  readonly #watchersEnded: Promise<unknown>[] = [];
  readonly #watchers: RecordedWatcher<ConfigMap>[] = [];
  readonly #leases: Record<Elected, RecordedWatcher<Lease>>;
  readonly #pods: RecordedWatcher<Pod>;
  readonly #nodeWatcher: RecordedWatcher<Node>;
  readonly #wanted = new Map<string, Wanted[]>();
  readonly #reconnections = new Map<string, number[]>();
  readonly #silences: Silence[] = [];
  readonly #namespace: string;
  /** What is judged in the end. */
  readonly seen: Seen;
  #scaling: Promise<void> = Promise.resolve();
  #nodes: SimulatedNodes | undefined;
  #round = 0;

  private constructor(masters: Masters, seed: number) {
    this.masters = masters;
    this.#namespace = `histories-${seed}`;
    this.random = seededRandom(seed);
    const lease = (name: Elected): RecordedWatcher<Lease> =>
      new RecordedWatcher<Lease>({
        name: `lease ${name}`,
        client: masters.client("balancer"),
        id: LEASES,
        namespace: "kube-system",
        fieldSelector: `metadata.name=${name}`,
        shown: shownLease,
      });
    this.#leases = { "kube-controller-manager": lease("kube-controller-manager"), "kube-scheduler": lease("kube-scheduler") };
    this.#nodeWatcher = new RecordedWatcher<Node>({
      name: "nodes",
      client: masters.client("balancer"),
      id: core("nodes"),
      namespace: "",
      shown: ({ status }) => status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "",
    });
    this.#pods = new RecordedWatcher<Pod>({
      name: "pods",
      client: masters.client("balancer"),
      id: PODS,
      namespace: this.#namespace,
      shown: shownPod,
    });
    this.seen = {
      masters,
      namespace: this.#namespace,
      recording: this.recording,
      watchers: this.#watchers,
      leases: this.#leases,
      pods: this.#pods,
      nodes: this.#nodeWatcher,
      wanted: this.#wanted,
      silences: this.#silences,
      reconnections: this.#reconnections,
      auditedBefore: masters.auditSizes(),
    };
  }

  /** Starts nodes, Deployments and clients. */
  static async start(masters: Masters, seed: number): Promise<Trial> {
    const trial = new Trial(masters, seed);
    await trial.#start();
    return trial;
  }

  async #start(): Promise<void> {
    const { masters, random } = this;
    const client = masters.client("balancer");
    const { signal } = this.#stopping;
    const closing = this.#closing.signal;
    // Every client and watcher listens.
    setMaxListeners(0, signal, closing);
    await client.create(NAMESPACES, "", { apiVersion: "v1", kind: "Namespace", metadata: { name: this.#namespace } });
    this.#nodes = await startSimulatedNodes({
      client,
      clock: realClock,
      random: systemRandom,
      count: NODES,
      namePrefix: "node-",
      signal: closing,
    });
    await eventually(() => client.get(core("serviceaccounts"), this.#namespace, "default"), RECOVERY_MS, "the controllers work");
    for (let i = 0; i < DEPLOYMENTS_COUNT; i++) {
      await client.create(DEPLOYMENTS, this.#namespace, deployment(`d${i}`, 2));
      this.#wanted.set(`d${i}`, [{ revision: 0, replicas: 2 }]);
    }
    const follow = <T extends Watched>(watcher: RecordedWatcher<T>): void => {
      this.#watchersEnded.push(watcher.run(closing));
    };
    for (const at of PLACES) {
      const watcher = new RecordedWatcher<ConfigMap>({
        name: `watcher at ${at}`,
        client: masters.client(at),
        id: CONFIG_MAPS,
        namespace: this.#namespace,
        shown: ({ data }) => data?.value ?? "",
      });
      this.#watchers.push(watcher);
      follow(watcher);
    }
    for (const watcher of Object.values(this.#leases)) follow(watcher);
    follow(this.#pods);
    follow(this.#nodeWatcher);
    const keys = (): readonly string[] => Array.from({ length: KEYS }, (_, i) => `k${this.#round}-${i}`);
    for (const name of this.clients) {
      const recorded = new RecordedClient({
        name,
        client: masters.client(isAtServer(name) ? Number(name.slice(3)) : "balancer"),
        namespace: this.#namespace,
        random: seededRandom(random.int(2 ** 31)),
        recording: this.recording,
        keys,
        signal,
      });
      this.#clientsEnded.push(recorded.run());
    }
    await this.progress(5, RECOVERY_MS);
  }

  /** The names of all clients. */
  get clients(): readonly string[] {
    return PLACES.flatMap(clientsAt);
  }

  /** From now on other objects are called. */
  nextRound(): void {
    this.#round++;
  }

  /**
   * Resolves with the milliseconds that it took until each client was answered so often: those that call where it is named; all when
   * nothing is.
   */
  async progress(calls: number, timeoutMs: number, places: readonly Place[] = PLACES): Promise<number> {
    const since = performance.now();
    const names = places.flatMap(clientsAt);
    const { acknowledged, failures } = this.recording;
    const targets = names.map((name) => ({ name, target: (acknowledged.get(name) ?? 0) + calls }));
    const failed = failures.length;
    const late = (): string[] =>
      targets.filter(({ name, target }) => (acknowledged.get(name) ?? 0) < target).map(({ name }) => name);
    await eventually(() => late().length === 0, timeoutMs, "calls are answered").catch((error: unknown) => {
      const told = failures.slice(failed).slice(-10);
      const why = told.map((failure) => JSON.stringify(failure)).join("\n");
      throw new Error(`${error}\nwaiting: ${late().join(", ")}\n${why}\n${this.masters.tails()}`);
    });
    return Math.round(performance.now() - since);
  }

  /** Sets another number of pods for one of the Deployments; what is not answered is asked again, as a user would. */
  scale(): Promise<void> {
    // One after another: what was asked last is what is wanted.
    this.#scaling = this.#scaling.then(() => this.#scale());
    return this.#scaling;
  }

  async #scale(): Promise<void> {
    const name = `d${this.random.int(DEPLOYMENTS_COUNT)}`;
    const replicas = this.random.int(REPLICAS_MAX + 1);
    const client = this.masters.client("balancer");
    let first: string | undefined;
    const attempt = async (): Promise<unknown> => {
      const { metadata } = await client.get<Deployment>(DEPLOYMENTS, this.#namespace, name);
      const { resourceVersion = "" } = metadata;
      first ??= resourceVersion;
      // By its version, so that one that was held up for long changes nothing.
      const patch = { metadata: { resourceVersion }, spec: { replicas } };
      return client.patch(DEPLOYMENTS, this.#namespace, name, "application/merge-patch+json", patch);
    };
    await eventually(attempt, RECOVERY_MS, `${name} is scaled`);
    client.close();
    this.#wanted.get(name)?.push({ revision: Number(first), replicas });
  }

  /** A machine hears others again, or others it: what they sent before arrives now. */
  reconnected(machine: string): void {
    const times = this.#reconnections.get(machine);
    if (times === undefined) this.#reconnections.set(machine, [realClock.now()]);
    else times.push(realClock.now());
  }

  /** From now on clients that call there need not hear anything in time, until what is returned is called. */
  silenced(places: readonly Place[]): () => void {
    const from = performance.now();
    return () => {
      const now = performance.now();
      const until = now + (now - from) + TRIED_AGAIN_MS;
      this.#silences.push(...places.flatMap(clientsAt).map((client) => ({ client, from, until })));
    };
  }

  /** Every server shows what it knew, to those who ask for no more. */
  async readCached(): Promise<void> {
    const read = async (server: number): Promise<void> => {
      const client = this.masters.client(server);
      const list = (): Promise<unknown> => client.list(CONFIG_MAPS, this.#namespace, { resourceVersion: "0" });
      await eventually(list, RECOVERY_MS, `server ${server} shows what it knew`);
      client.close();
    };
    await Promise.all(SERVERS.map(read));
  }

  /** Which machine leads, by its Lease; undefined when that cannot be learned or nobody does. */
  async leader(name: Elected, client: Client): Promise<MachineProcess | undefined> {
    const lease = await client.get<Lease>(LEASES, "kube-system", name).catch(() => undefined);
    const host = machineOf(lease?.spec?.holderIdentity ?? "");
    return this.candidates(name).find((process) => process.name === host);
  }

  /** Resolves with the machine that leads, when it is seen to renew its Lease: one that is started anew leaves a Lease behind that nobody holds any more. */
  async steadyLeader(name: Elected, client: Client, timeoutMs: number): Promise<MachineProcess> {
    let first: Lease | undefined;
    const renewing = async (): Promise<MachineProcess | undefined> => {
      const lease = await client.get<Lease>(LEASES, "kube-system", name);
      const { holderIdentity = "", renewTime } = lease.spec ?? {};
      if (holderIdentity !== first?.spec?.holderIdentity) first = lease;
      if (holderIdentity === "" || renewTime === first?.spec?.renewTime) return undefined;
      return this.candidates(name).find((process) => process.name === machineOf(holderIdentity));
    };
    return (await eventually(renewing, timeoutMs, `${name} has a leader`)) as MachineProcess;
  }

  /**
   * Begins to look whether a leader gives its Lease back; what is returned rejects when another has got it otherwise. It may keep it
   * while a write of its term is unanswered, as on a connection that was cut: it has to say so, and there has to have been such a thing.
   */
  givenBack(name: Elected, leader: MachineProcess): () => Promise<void> {
    const watcher = this.#leases[name];
    const { until } = watcher;
    const machine = leader.name;
    const beganMs = performance.now();
    return async () => {
      const since = (): readonly string[] =>
        successions(leaseChanges(watcher).filter(({ revision }) => revision > until)).map(({ holder }) => holder);
      await eventually(
        () => since().some((holder) => holder !== machine && holder !== ""),
        RECOVERY_MS,
        `another ${name} is told of`,
      );
      if (leaseGaps(watcher).some((gap) => gap.after >= until)) return;
      const next = since().find((holder) => holder !== machine);
      if (next === "") return;
      const said = leader.output.split("\n").find((line) => line.includes('"Failed to release lease"')) ?? "";
      const isUnanswered = / writes of the term had no answer within /.test(said);
      if (isUnanswered && this.#answersMayBeLate(beganMs)) return;
      throw new Error(`${machine} did not give the Lease of ${name} back (${said}): ${since().join(", ")}`);
    };
  }

  /** Something was cut off a while ago, whose connections may still be silent; or others have met late answers, too. */
  #answersMayBeLate(since: number): boolean {
    const reconnected = [...this.#reconnections.values()].flat();
    const wasCut = reconnected.some((atMs) => realClock.now() - atMs < SILENT_CONNECTION_MS);
    return wasCut || this.recording.slowestSince(since) > LATE_ANSWER_MS;
  }

  candidates(name: Elected): readonly MachineProcess[] {
    return name === "kube-scheduler" ? this.masters.schedulers : this.masters.managers;
  }

  /** Ends the clients when all is well, and answers with everything that is wrong. */
  async judge(): Promise<readonly string[]> {
    await eventually(() => this.masters.allReady(), RECOVERY_MS, "every server is ready");
    await this.progress(10, RECOVERY_MS);
    const client = this.masters.client("balancer");
    const wrong: string[] = [];
    await settled(this.seen, client).catch((error: unknown) => wrong.push(`${error}`));
    this.#stopping.abort();
    await Promise.all(this.#clientsEnded);
    const lists = await lastLists(this.seen);
    wrong.push(...lists.wrong, ...(await allTold(this.seen, client)));
    this.#closing.abort();
    await Promise.all(this.#watchersEnded);
    return [...wrong, ...judged(this.seen, lists.segments)];
  }

  /** What a run was like, for whoever reads its output. */
  summary(): string {
    return summaryOf(this.seen);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#closing.abort();
    await this.#nodes?.stop();
    await Promise.all([...this.#clientsEnded, ...this.#watchersEnded]);
  }
}

function deployment(name: string, replicas: number): Deployment {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "i" }] },
      },
    },
  } as Deployment;
}
