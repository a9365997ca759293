import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { eventually } from "../kubectl.ts";
import { type Fault, loss, OUTAGE_MAX_MS, outlived, PROCESS_MS, pick, RECOVERY_MAX_MS, survived, WAYS } from "./damage.ts";
import type { MachineProcess } from "./machine-process.ts";
import { isAtServer, PLACES } from "./seen.ts";
import type { Trial } from "./trial.ts";

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

/** Members of etcd that are lost. */
export const memberFaults: readonly Fault[] = [
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

/** Disks that are slow. */
export const diskFaults: readonly Fault[] = [
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

/** What etcd has forgotten, and what all find when they begin anew. */
export const storeFaults: readonly Fault[] = [
  {
    name: "etcd forgets its history while an API server is cut off from it",
    run: async (trial) => {
      const { masters } = trial;
      const server = trial.random.int(3);
      const { host } = masters.apiServers[server] as MachineProcess;
      const members = masters.etcd.map((process) => process.host);
      const { failures } = trial.recording;
      const before = failures.length;
      const watcher = trial.seen.watchers[PLACES.indexOf(server)];
      const { expired = 0 } = watcher?.counts ?? {};
      const measured = await survived(trial, {
        lost: [server],
        inject: () => masters.network.cut(host, members),
        // A call that was given up has ended its connection, and the watch on it.
        meanwhile: () =>
          eventually(
            () => failures.slice(before).some(({ client, code }) => client === `at-${server}` && code >= 500),
            OUTAGE_MAX_MS,
            `server ${server} has lost etcd`,
          ),
        mend: async () => {
          await masters.compact();
          await masters.network.mend(host);
          trial.reconnected(host.name);
        },
      });
      const isTold = (): boolean => (watcher?.counts.expired ?? 0) > expired;
      await eventually(isTold, RECOVERY_MAX_MS, `who watches at server ${server} is told that this is too old`);
      return measured;
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
