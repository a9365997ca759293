import { setMaxListeners } from "node:events";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { type Random, seededRandom, systemRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { type SimulatedNodes, startSimulatedNodes } from "#kubelet/simulated-nodes.ts";
import type { Silence } from "../history/answers.ts";
import { eventually } from "../kubectl.ts";
import { type Elected, shownLease } from "./elected.ts";
import { judged, summaryOf } from "./judgement.ts";
import { allTold, lastLists, settled } from "./last-state.ts";
import { LEASES, Leaders } from "./leaders.ts";
import type { Masters } from "./masters.ts";
import { shownPod } from "./pods-seen.ts";
import { RecordedClient, Recording } from "./recorded-client.ts";
import { RecordedWatcher, type Watched } from "./recorded-watcher.ts";
import { ScaledDeployments } from "./scaled-deployments.ts";
import { CONFIG_MAPS, isAtServer, PLACES, type Place, PODS, RECOVERY_MS, type Seen } from "./seen.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const NAMESPACES = core("namespaces");

/** Objects that are called at one time. */
const KEYS = 6;
const NODES = 4;
/** Clients that come through the balancer; each server has one of its own too. */
const BALANCED_CLIENTS = ["balanced-0", "balanced-1", "balanced-2"] as const;
const SERVERS = [0, 1, 2] as const;
/** After a silence connections are tried again as late as the silence was long, and this. */
const TRIED_AGAIN_MS = 5_000;
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
  readonly deployments: ScaledDeployments;
  readonly leaders: Leaders;
  readonly #reconnections = new Map<string, number[]>();
  readonly #silences: Silence[] = [];
  readonly #namespace: string;
  /** What is judged in the end. */
  readonly seen: Seen;
  #nodes: SimulatedNodes | undefined;
  #round = 0;

  private constructor(masters: Masters, seed: number) {
    this.masters = masters;
    this.#namespace = `histories-${seed}`;
    this.random = seededRandom(seed);
    this.deployments = new ScaledDeployments(masters, this.#namespace, this.random);
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
      wanted: this.deployments.wanted,
      silences: this.#silences,
      reconnections: this.#reconnections,
      auditedBefore: masters.audit.sizes(),
    };
    this.leaders = new Leaders(this.seen);
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
    await this.deployments.create(client);
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
