import { setMaxListeners } from "node:events";
import { writeFileSync } from "node:fs";
import type { Deployment } from "#api/generated/apps/v1.ts";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { type Random, seededRandom, systemRandom } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { type SimulatedNodes, startSimulatedNodes } from "#kubelet/simulated-nodes.ts";
import { type Act, actsOfOthers, type LeaseChange, successions } from "../history/leadership.ts";
import { checkLinearizable } from "../history/linearizability.ts";
import { excesses, type PodChange, type Wanted } from "../history/replicas.ts";
import { checkWatched } from "../history/watched.ts";
import { eventually } from "../kubectl.ts";
import type { MachineProcess } from "./machine-process.ts";
import type { Masters } from "./masters.ts";
import { RecordedClient, Recording } from "./recorded-client.ts";
import { RecordedWatcher } from "./recorded-watcher.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const CONFIG_MAPS = core("configmaps");
const NAMESPACES = core("namespaces");
const PODS = core("pods");
const DEPLOYMENTS: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };

/** Objects that are called at one time. */
const KEYS = 6;
const DEPLOYMENTS_COUNT = 3;
const REPLICAS_MAX = 6;
const NODES = 4;
/** Clients that come through the balancer; each server has one of its own too. */
const BALANCED_CLIENTS = ["balanced-0", "balanced-1", "balanced-2"] as const;
/** How long after a connection is back something may arrive that was sent before: TCP tries again less and less often. */
const ON_THE_WAY_MS = 8_000;
/** Until all is well again after the last fault. */
const RECOVERY_MS = 60_000;

/** The programs of which one leads. */
export type Elected = "kube-controller-manager" | "kube-scheduler";

/** Clients that work on several masters, while somebody makes faults; and the judgement of what they saw. */
export class Trial implements AsyncDisposable {
  readonly masters: Masters;
  readonly random: Random;
  readonly recording: Recording = new Recording();
  readonly #stopping = new AbortController();
  readonly #ended: Promise<unknown>[] = [];
  readonly #watchers: RecordedWatcher<ConfigMap>[] = [];
  readonly #leases: Record<Elected, RecordedWatcher<Lease>>;
  readonly #pods: RecordedWatcher<Pod>;
  readonly #nodeWatcher: RecordedWatcher<Node>;
  /** When each pod got its node, by name: the revision. */
  readonly #placed = new Map<string, number>();
  readonly #replicas = new Map<string, number>();
  /** What each Deployment was told to have, and the pods that it had. */
  readonly #wanted = new Map<string, Wanted[]>();
  readonly #podChanges = new Map<string, PodChange[]>();
  readonly #reconnections = new Map<string, number[]>();
  /** When each change of a Lease was told, by revision. */
  readonly #toldAt = new Map<number, number>();
  readonly #namespace: string;
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
        onEvent: (_, { metadata }) => this.#toldAt.set(Number(metadata?.resourceVersion), realClock.now()),
        shown: ({ spec }) => spec?.holderIdentity ?? "",
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
      shown: ({ spec, status }) => `${spec?.nodeName} ${status?.phase}`,
      onEvent: (type, { metadata, spec, status }) => {
        const name = metadata.name ?? "";
        const lives = type !== "DELETED" && metadata.deletionTimestamp === undefined && status?.phase !== "Failed";
        const change = { revision: Number(metadata.resourceVersion), pod: name, lives };
        const app = metadata.labels?.app ?? "";
        this.#podChanges.set(app, [...(this.#podChanges.get(app) ?? []), change]);
        if (spec?.nodeName !== undefined && !this.#placed.has(name)) this.#placed.set(name, Number(metadata.resourceVersion));
      },
    });
  }

  #excesses(): readonly string[] {
    return [...this.#wanted].flatMap(([name, wanted]) => excesses(wanted, this.#podChanges.get(name) ?? []));
  }

  /** Nodes that were called silent: they never are for as long as that takes. */
  #silentNodes(): readonly string[] {
    const told = this.#nodeWatcher.segments.flatMap(({ events }) => events);
    return told.filter(({ value }) => value !== "True").map(({ key, value }) => `${key} was called ${value}`);
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
    // Every client and watcher listens.
    setMaxListeners(0, signal);
    await client.create(NAMESPACES, "", { apiVersion: "v1", kind: "Namespace", metadata: { name: this.#namespace } });
    this.#nodes = await startSimulatedNodes({
      client,
      clock: realClock,
      random: systemRandom,
      count: NODES,
      namePrefix: "node-",
      signal,
    });
    await eventually(() => client.get(core("serviceaccounts"), this.#namespace, "default"), RECOVERY_MS, "the controllers work");
    for (let i = 0; i < DEPLOYMENTS_COUNT; i++) {
      await client.create(DEPLOYMENTS, this.#namespace, deployment(`d${i}`, 2));
      this.#replicas.set(`d${i}`, 2);
      this.#wanted.set(`d${i}`, [{ revision: 0, replicas: 2 }]);
    }
    const run = (task: Promise<unknown>): void => {
      this.#ended.push(task);
    };
    for (const at of ["balancer", 0, 1, 2] as const) {
      const watcher = new RecordedWatcher<ConfigMap>({
        name: `watcher at ${at}`,
        client: masters.client(at),
        id: CONFIG_MAPS,
        namespace: this.#namespace,
        shown: ({ data }) => data?.value ?? "",
      });
      this.#watchers.push(watcher);
      run(watcher.run(signal));
    }
    for (const watcher of [...Object.values(this.#leases), this.#pods, this.#nodeWatcher]) run(watcher.run(signal));
    const keys = (): readonly string[] => Array.from({ length: KEYS }, (_, i) => `k${this.#round}-${i}`);
    for (const name of [...BALANCED_CLIENTS, "at-0", "at-1", "at-2"]) {
      const recorded = new RecordedClient({
        name,
        client: masters.client(name.startsWith("at-") ? Number(name.slice(3)) : "balancer"),
        namespace: this.#namespace,
        random: seededRandom(random.int(2 ** 31)),
        recording: this.recording,
        keys,
        signal,
      });
      run(recorded.run());
    }
    await this.progress(5, RECOVERY_MS);
  }

  /** From now on other objects are called. */
  nextRound(): void {
    this.#round++;
  }

  /**
   * Resolves with the milliseconds that it took until each client was answered so often: those that come through the balancer, and
   * those at the servers that are named; all when none is named.
   */
  async progress(calls: number, timeoutMs: number, servers: readonly number[] = [0, 1, 2]): Promise<number> {
    const since = performance.now();
    const names = [...BALANCED_CLIENTS, ...servers.map((server) => `at-${server}`)];
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
    this.#replicas.set(name, replicas);
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

  /** Which machine leads, by its Lease; undefined when that cannot be learned or nobody does. */
  async leader(name: Elected, client: Client): Promise<MachineProcess | undefined> {
    const lease = await client.get<Lease>(LEASES, "kube-system", name).catch(() => undefined);
    const host = machineOf(lease?.spec?.holderIdentity ?? "");
    return this.candidates(name).find((process) => process.name === host);
  }

  candidates(name: Elected): readonly MachineProcess[] {
    return name === "kube-scheduler" ? this.masters.schedulers : this.masters.managers;
  }

  /** Ends the clients when all is well, and answers with everything that is wrong. */
  async judge(): Promise<readonly string[]> {
    const wrong: string[] = [...this.recording.wrong];
    await eventually(() => this.masters.allReady(), RECOVERY_MS, "every server is ready");
    await this.progress(10, RECOVERY_MS);
    const client = this.masters.client("balancer");
    await this.#settled(client).catch((error: unknown) => wrong.push(`${error}`));
    this.#stopping.abort();
    const until = Number((await client.list(CONFIG_MAPS, this.#namespace)).metadata.resourceVersion);
    await Promise.all(this.#ended);
    wrong.push(...(await this.#lastValues(client, until)));
    for (const [key, operations] of this.recording.operations) {
      const verdict = checkLinearizable(operations);
      if (verdict.kind === "linearizable") continue;
      wrong.push(`${key}: ${JSON.stringify(verdict)}`);
      writeFileSync(
        this.masters.path(`history-${key}.json`),
        operations.map((operation) => JSON.stringify(operation)).join("\n"),
      );
    }
    wrong.push(
      ...checkWatched(
        this.#watchers.flatMap(({ segments }) => segments),
        this.recording.writes,
      ),
    );
    for (const watcher of [...Object.values(this.#leases), this.#pods]) wrong.push(...checkWatched(watcher.segments, []));
    wrong.push(...this.#silentNodes(), ...this.#actsOfOthers(), ...this.#excesses());
    return wrong;
  }

  /** What a run was like, for whoever reads its output. */
  summary(): string {
    const { operations, failures, acknowledged } = this.recording;
    const codes = new Map<number, number>();
    for (const { code } of failures) codes.set(code, (codes.get(code) ?? 0) + 1);
    const watches = this.#watchers.map(({ counts, segments }) => ({
      ...counts,
      events: segments.reduce((sum, { events }) => sum + events.length, 0),
    }));
    return JSON.stringify({
      objects: operations.size,
      acknowledged: [...acknowledged.values()].reduce((sum, count) => sum + count, 0),
      failures: Object.fromEntries(codes),
      slowestFailureMs: Math.round(Math.max(0, ...failures.map(({ durationMs }) => durationMs))),
      watches,
      leaders: Object.fromEntries(
        Object.entries(this.#leases).map(([name]) => [
          name,
          successions(this.#changes(name as Elected)).map(({ holder }) => holder || "-"),
        ]),
      ),
      acts: this.#acts().length,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#nodes?.stop();
    await Promise.all(this.#ended);
  }

  /** Deployments have as many pods as they should, and those run. */
  async #settled(client: Client): Promise<void> {
    const state = async (): Promise<string> => {
      const pods = (await client.list<Pod>(PODS, this.#namespace)).items;
      return [...this.#replicas]
        .map(([name, replicas]) => {
          const own = pods.filter(({ metadata }) => metadata.labels?.app === name);
          const running = own.filter(({ status }) => status?.phase === "Running").length;
          return own.length === replicas && running === replicas
            ? ""
            : `${name}: ${own.length} pods, ${running} run, of ${replicas}`;
        })
        .filter((line) => line !== "")
        .join("; ");
    };
    let last = "";
    await eventually(
      async () => {
        last = await state();
        return last === "";
      },
      RECOVERY_MS,
      "Deployments",
    ).catch((error: unknown) => {
      throw new Error(`${error} ${last}\n${this.masters.tails()}`);
    });
  }

  /** Every server says the same of every object, and the watchers were told as much. */
  async #lastValues(client: Client, until: number): Promise<readonly string[]> {
    const wrong: string[] = [];
    const shown = async (from: Client): Promise<string> =>
      JSON.stringify(
        (await from.list<ConfigMap>(CONFIG_MAPS, this.#namespace)).items.map(({ metadata, data }) => [
          metadata?.name,
          metadata?.resourceVersion,
          data?.value,
        ]),
      );
    const want = await shown(client);
    for (const i of this.masters.apiServers.keys()) {
      const own = this.masters.client(i);
      if ((await shown(own)) !== want) wrong.push(`server ${i} has other objects`);
      own.close();
    }
    // Whoever was told nothing for long has lost its watch without a word.
    const behind = this.#watchers.filter((watcher) => watcher.until < until - 1_000);
    return [...wrong, ...behind.map((watcher) => `${watcher.segments[0]?.watcher} was told until ${watcher.until} of ${until}`)];
  }

  #changes(name: Elected): readonly LeaseChange[] {
    const changes = this.#leases[name].segments.flatMap(({ start, events }) => [
      ...[...start.values()].map(({ revision, value }) => ({ revision, holder: machineOf(value), at: 0 })),
      ...events.map(({ revision, value }) => ({
        revision,
        holder: machineOf(value),
        at: this.#toldAt.get(revision) ?? 0,
      })),
    ]);
    return changes.sort((a, b) => a.revision - b.revision);
  }

  /** What controllers and schedulers have written in the namespace of the histories, by which machine. */
  #acts(): readonly (Act & { readonly of: Elected })[] {
    const events = this.masters.auditLines().map(({ server, line }) => ({ ...(JSON.parse(line) as AuditEvent), server }));
    const instances = new Map(this.masters.users);
    for (const event of events) {
      // Controllers act by tokens, which their machine has asked for.
      const token = event.objectRef?.subresource === "token" ? event.responseObject?.status?.token : undefined;
      const instance = instances.get(credentialOf(event));
      if (token !== undefined && instance !== undefined) instances.set(`JTI=${tokenId(token)}`, instance);
    }
    return events.flatMap((event) => {
      const instance = instances.get(credentialOf(event));
      const { resource = "", name = "", subresource = "", namespace = "" } = event.objectRef ?? {};
      if (namespace !== this.#namespace || (event.responseStatus?.code ?? 0) >= 300) return [];
      if (instance === undefined) throw new Error(`nobody knows who did ${JSON.stringify(event).slice(0, 500)}`);
      const at = Date.parse(event.requestReceivedTimestamp);
      if (this.#wasOnItsWay(event.server, at) || this.#wasOnItsWay(instance, at)) return [];
      const revision =
        subresource === "binding" ? this.#placed.get(name) : Number(event.responseObject?.metadata?.resourceVersion ?? "0");
      if (revision === undefined || revision === 0) return [];
      const of = event.user.username === "system:kube-scheduler" ? "kube-scheduler" : "kube-controller-manager";
      const what = `${event.verb} ${resource}/${name}/${subresource} ${event.requestReceivedTimestamp}`;
      return [{ instance, revision, what, at, of }];
    });
  }

  /** Whether what came at that time may have been sent long before: nobody can take back what is on its way. */
  #wasOnItsWay(machine: string, at: number): boolean {
    return (this.#reconnections.get(machine) ?? []).some((back) => at >= back && at < back + ON_THE_WAY_MS);
  }

  #actsOfOthers(): readonly string[] {
    const acts = this.#acts();
    return (Object.keys(this.#leases) as Elected[]).flatMap((name) => {
      const changes = successions(this.#changes(name));
      const from = changes[0]?.revision ?? 0;
      // What was done before anybody watched cannot be judged.
      return actsOfOthers(
        changes,
        acts.filter(({ of, revision }) => of === name && revision >= from),
      );
    });
  }
}

/** An identity in a Lease begins with its machine's name. */
function machineOf(identity: string): string {
  return identity.split("_")[0] ?? "";
}

interface AuditEvent {
  readonly verb: string;
  readonly requestReceivedTimestamp: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly responseObject?: {
    readonly metadata?: { readonly resourceVersion?: string };
    readonly status?: { readonly token?: string };
  };
}

/** What somebody proved himself with. */
function credentialOf({ user }: AuditEvent): string {
  return user.extra?.["authentication.kubernetes.io/credential-id"]?.[0] ?? "";
}

function tokenId(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { readonly jti?: string };
  return claims.jti ?? "";
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
