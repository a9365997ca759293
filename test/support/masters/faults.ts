import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "#base/random.ts";
import { eventually } from "../kubectl.ts";
import type { Elected } from "./elected.ts";
import type { MachineProcess } from "./machine-process.ts";
import { hasFaketime, hasStrace, LEASE_DURATION_MS } from "./masters.ts";
import { isAtServer, type Trial } from "./trial.ts";

/** Something that goes wrong while clients work, and is mended. `run` resolves with what was measured; rejects when not all goes on as it should. */
export interface Fault {
  readonly name: string;
  readonly run: (trial: Trial) => Promise<Readonly<Record<string, number | string>>>;
}

/** How long it may take until calls are answered again: others must find out what is wrong, and go elsewhere; several times longer than on a quiet machine. */
const OUTAGE_MAX_MS = 60_000;
/** The same after all is mended. */
const RECOVERY_MAX_MS = 90_000;
/** How long a fault lasts at least. */
const LAST_MS = 1_000;
/** How long nothing at all answers. */
const NOTHING_MS = 5_000;
/** Calls of each client that show that it goes on. */
const CALLS = 5;
/** Beside the time of a Lease: standbys look every half second, first when it was renewed and then when its time is over. */
const STANDBY_MS = 1_500;
const CLEAN_STOP_MS = 2_000;
/** Calls that are made one after another, by several programs, until another leads. */
const CALLS_OF_CHANGE = 10;
/** Until a process has ended that was asked to, or `strace` looks over another. */
const PROCESS_MS = 60_000;
/** Tokens are not taken whose time begins much later. */
const SERVER_STEP_SECONDS = 45;

interface Damage {
  /** Servers whose own clients need not get an answer. */
  readonly lost?: readonly number[];
  /** Those of them that can say nothing at all: their clients' calls may take as long as that. */
  readonly silent?: boolean;
  readonly inject: () => unknown;
  /** What must come to be while it lasts. */
  readonly meanwhile?: () => Promise<unknown>;
  readonly mend: () => unknown;
}

/** Calls go on while something is wrong, and all of them when it is mended. */
async function survived(trial: Trial, damage: Damage): Promise<Readonly<Record<string, number>>> {
  const { lost = [], silent = false, inject, meanwhile, mend } = damage;
  trial.nextRound();
  const others = [0, 1, 2].filter((server) => !lost.includes(server));
  const heard = silent ? trial.silenced(lost) : undefined;
  await inject();
  let outage: number;
  try {
    outage = await trial.progress(CALLS, OUTAGE_MAX_MS, others);
    await trial.scale();
    await meanwhile?.();
    await sleep(LAST_MS);
    await trial.progress(CALLS, OUTAGE_MAX_MS, others);
  } finally {
    await mend();
    heard?.();
  }
  return { outage, recovery: await trial.progress(CALLS, RECOVERY_MAX_MS) };
}

/** Nothing can be written for a while; every call is told so in time, and all go on when it is mended. */
async function outlived(trial: Trial, { inject, meanwhile, mend }: Damage): Promise<Readonly<Record<string, number>>> {
  trial.nextRound();
  const failed = trial.recording.failures.length;
  await inject();
  try {
    await (meanwhile === undefined ? sleep(NOTHING_MS) : meanwhile());
  } finally {
    await mend();
  }
  const told = trial.recording.failures.slice(failed);
  return { failures: told.length, recovery: await trial.progress(CALLS, RECOVERY_MAX_MS) };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.int(from.length)] as T;
}

const member = ({ masters, random }: Trial): MachineProcess => pick(random, masters.etcd);

/** Which member of etcd leads the others; after a fault there may be none for a moment. */
function etcdLeader({ masters }: Trial): Promise<MachineProcess> {
  const find = async (): Promise<MachineProcess | undefined> => {
    const status = JSON.parse(await masters.ctl("endpoint", "status", "--write-out=json")) as {
      readonly Endpoint: string;
      readonly Status: { readonly leader: number; readonly header: { readonly member_id: number } };
    }[];
    const leader = status.find(({ Status }) => Status.leader === Status.header.member_id);
    return masters.etcd.find((_, i) => masters.etcdUrls[i] === leader?.Endpoint);
  };
  return eventually(find, RECOVERY_MAX_MS, "etcd has a leader") as Promise<MachineProcess>;
}

/** The three ways in which a machine's program is lost for the others, each with its mending. */
function losses(trial: Trial, process: MachineProcess): readonly (readonly [string, Damage])[] {
  const { network } = trial.masters;
  const { host, name } = process;
  const plug = async (): Promise<void> => {
    await network.plug(host);
    trial.reconnected(name);
  };
  const thaw = (): void => {
    process.thaw();
    // What others sent it meanwhile it reads now. What it wants to send itself it must look at again.
    if (trial.masters.apiServers.includes(process)) trial.reconnected(name);
  };
  return [
    ["is killed", { inject: () => process.kill(), mend: () => process.start() }],
    ["freezes", { inject: () => process.freeze(), mend: thaw }],
    ["is unplugged", { inject: () => network.unplug(host), mend: plug }],
  ];
}

const WAYS = ["is killed", "freezes", "is unplugged"] as const;

function loss(trial: Trial, process: MachineProcess, way: string): Damage {
  const found = losses(trial, process).find(([name]) => name === way);
  if (found === undefined) throw new Error(way);
  return found[1];
}

const memberFaults: readonly Fault[] = [
  ...WAYS.map((way) => ({
    name: `a member of etcd ${way}`,
    run: (trial: Trial) => survived(trial, loss(trial, member(trial), way)),
  })),
  {
    name: "etcd's leader freezes",
    run: async (trial) => survived(trial, loss(trial, await etcdLeader(trial), "freezes")),
  },
  {
    name: "etcd's leader is cut off from the other members, but not from its clients",
    run: async (trial) => {
      const leader = await etcdLeader(trial);
      const { network, etcd } = trial.masters;
      const others = etcd.filter((process) => process !== leader).map(({ host }) => host);
      return survived(trial, { inject: () => network.cut(leader.host, others), mend: () => network.mend(leader.host) });
    },
  },
  {
    name: "the quorum of etcd is lost",
    run: (trial) => {
      const { etcd } = trial.masters;
      const first = trial.random.int(etcd.length);
      const majority = Array.from({ length: Math.floor(etcd.length / 2) + 1 }, (_, i) => etcd[(first + i) % etcd.length]);
      const lost = majority.flatMap((process) => (process === undefined ? [] : [loss(trial, process, pick(trial.random, WAYS))]));
      const { failures } = trial.recording;
      const before = failures.length;
      const inject = (): Promise<unknown> => Promise.all(lost.map((one) => one.inject()));
      const everybodyKnows = (): boolean => {
        // Servers say so; the balancer has none left to go to, and ends connections.
        const told = failures.slice(before).flatMap(({ client, code }) => (code >= 500 || !isAtServer(client) ? [client] : []));
        return trial.clients.every((client) => told.includes(client));
      };
      return outlived(trial, {
        inject,
        // Their servers tell them so; what was read before can still be shown to those who want no more.
        meanwhile: () =>
          Promise.all([
            trial.readCached(),
            eventually(everybodyKnows, OUTAGE_MAX_MS, "every client is told that nothing can be done"),
          ]),
        mend: () => Promise.all(lost.map(({ mend }) => mend())),
      });
    },
  },
];

const serverFaults: readonly Fault[] = [
  ...WAYS.map((way) => ({
    name: `an API server ${way}`,
    run: (trial: Trial) => {
      const server = trial.random.int(3);
      const process = trial.masters.apiServers[server] as MachineProcess;
      return survived(trial, { ...loss(trial, process, way), lost: [server], silent: way !== "is killed" });
    },
  })),
  {
    name: "an API server is cut off from etcd",
    run: (trial) => {
      const { network, apiServers, etcd } = trial.masters;
      const server = trial.random.int(3);
      const { host } = apiServers[server] as MachineProcess;
      const members = etcd.map((process) => process.host);
      const mend = async (): Promise<void> => {
        await network.mend(host);
        trial.reconnected(host.name);
      };
      return survived(trial, {
        lost: [server],
        inject: () => network.cut(host, members),
        meanwhile: () =>
          eventually(async () => !(await trial.masters.isReady(server)), OUTAGE_MAX_MS, "it says that it is not ready"),
        mend,
      });
    },
  },
  {
    name: "the balancer loses what comes from an API server",
    run: (trial) => {
      const { network, apiServers, balancer } = trial.masters;
      const { host } = pick(trial.random, apiServers);
      const mend = async (): Promise<void> => {
        await network.mend(balancer.host);
        trial.reconnected(host.name);
      };
      return survived(trial, { inject: () => network.cut(balancer.host, [host], "inbound"), mend });
    },
  },
  {
    name: "the balancer is started anew",
    run: (trial) => {
      const { balancer } = trial.masters;
      return survived(trial, {
        inject: async () => {
          await balancer.kill();
          balancer.start();
        },
        mend: () => undefined,
      });
    },
  },
];

/** A leader goes in some way, another follows, and the first comes back. */
async function leaderLost(trial: Trial, name: Elected, way: string): Promise<Readonly<Record<string, number>>> {
  const client = trial.masters.client("balancer");
  const followed = async (from: MachineProcess): Promise<MachineProcess | undefined> => {
    const leader = await trial.leader(name, client);
    return leader === undefined || leader === from ? undefined : leader;
  };
  try {
    const leader = await trial.steadyLeader(name, client, RECOVERY_MAX_MS);
    const { inject, mend } =
      way === "is stopped" ? { inject: () => stopped(leader), mend: () => leader.start() } : loss(trial, leader, way);
    const since = performance.now();
    const givenBack = way === "is stopped" ? trial.givenBack(name, leader.name) : undefined;
    await inject();
    try {
      await eventually(() => followed(leader), RECOVERY_MAX_MS, `another ${name} leads`);
      const taken = Math.round(performance.now() - since);
      await givenBack?.();
      // What is to be quick takes longer on a machine that has too much to do: by as much as calls do at the same time.
      const slack = CALLS_OF_CHANGE * trial.recording.slowestSince(since);
      const limit = Math.round((way === "is stopped" ? CLEAN_STOP_MS : LEASE_DURATION_MS + STANDBY_MS) + slack);
      if (taken > limit) throw new Error(`leadership of ${name} passed after ${taken} ms, not within ${limit}`);
      await trial.scale();
      await sleep(LAST_MS);
      return { taken };
    } finally {
      await mend();
      // It must not act now that it is back, though it led when it went.
      await trial.scale();
      await sleep(LAST_MS);
    }
  } finally {
    client.close();
  }
}

async function stopped(process: MachineProcess): Promise<void> {
  const late = new AbortController();
  const tooLong = sleep(PROCESS_MS, "late", { signal: late.signal }).catch(() => undefined);
  if ((await Promise.race([process.stop(), tooLong])) === "late") throw new Error(`${process.name} does not end`);
  late.abort();
}

const leaderFaults: readonly Fault[] = ["is stopped", ...WAYS].map((way) => ({
  name: `each leader ${way}`,
  run: async (trial: Trial) => {
    const [manager, scheduler] = await Promise.all([
      leaderLost(trial, "kube-controller-manager", way),
      leaderLost(trial, "kube-scheduler", way),
    ]);
    return { manager: manager.taken ?? 0, scheduler: scheduler.taken ?? 0 };
  },
}));

/** Clocks that are set: at leaders and who stands by for them by much, at a server by what tokens and certificates allow. */
const clockFaults: readonly Fault[] = hasFaketime
  ? ([3600, -240] as const).map((seconds) => ({
      name: `clocks are set ${seconds > 0 ? "ahead" : "back"}`,
      run: (trial: Trial) => {
        const { masters, random } = trial;
        const server = pick(random, masters.apiServers);
        // Two of three: a leader and one that stands by, or both who stand by.
        const [manager, scheduler] = [pick(random, masters.managers), pick(random, masters.schedulers)];
        const others = [...masters.managers, ...masters.schedulers].filter((one) => one !== manager && one !== scheduler);
        return survived(trial, {
          inject: () => {
            for (const process of others) masters.setClock(process, seconds);
            masters.setClock(server, Math.sign(seconds) * SERVER_STEP_SECONDS);
          },
          mend: () => {
            for (const process of [...others, server]) masters.setClock(process, 0);
          },
        });
      },
    }))
  : [];

/** Lets every write to a member's disk take long, by `strace`; resolves when it does. */
async function slowDisk(process: MachineProcess, delayMs: number): Promise<ChildProcess> {
  const inject = `inject=fdatasync,fsync:delay_enter=${delayMs * 1000}`;
  const { pid } = process;
  const trace = ["-f", "-q", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", inject];
  const strace = spawn("strace", [...trace, "-p", String(pid)], { stdio: "ignore" });
  const isTraced = (): boolean => !/^TracerPid:\s+0$/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  await eventually(isTraced, PROCESS_MS, `the disk of ${process.name} is slow`);
  return strace;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGINT");
  await ended;
}

const diskFaults: readonly Fault[] = [
  {
    name: "the disk of etcd's leader is slow",
    run: async (trial) => {
      const leader = await etcdLeader(trial);
      let strace: ChildProcess | undefined;
      return survived(trial, {
        inject: async () => {
          strace = await slowDisk(leader, 400);
        },
        mend: () => strace && end(strace),
      });
    },
  },
  {
    name: "every disk of etcd is slow",
    run: (trial) => {
      let straces: ChildProcess[] = [];
      return survived(trial, {
        inject: async () => {
          straces = await Promise.all(trial.masters.etcd.map((process) => slowDisk(process, 150)));
        },
        mend: () => Promise.all(straces.map(end)),
      });
    },
  },
];

const storeFaults: readonly Fault[] = [
  {
    name: "etcd forgets its history while an API server is cut off from it",
    run: (trial) => {
      const { masters } = trial;
      const server = trial.random.int(3);
      const { host } = masters.apiServers[server] as MachineProcess;
      return survived(trial, {
        lost: [server],
        inject: () =>
          masters.network.cut(
            host,
            masters.etcd.map((process) => process.host),
          ),
        mend: async () => {
          await masters.compact();
          await masters.network.mend(host);
          trial.reconnected(host.name);
        },
      });
    },
  },
  {
    name: "everything is started anew at once",
    run: (trial) => {
      const { masters } = trial;
      return outlived(trial, {
        inject: () => Promise.all(masters.processes.map((process) => process.kill())),
        mend: () => masters.startAll(),
      });
    },
  },
];

/** Every fault that can be made at any time. */
export const FAULTS: readonly Fault[] = [
  ...memberFaults,
  ...serverFaults,
  ...leaderFaults,
  ...clockFaults,
  ...(hasStrace ? diskFaults : []),
  ...storeFaults,
];

/** A plan: each of the faults once, in an order of its own. */
export function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(rest.length), 1)[0] as T);
}
