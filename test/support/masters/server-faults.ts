import { eventually } from "../kubectl.ts";
import { type Fault, loss, OUTAGE_MAX_MS, pick, stopped, survived, WAYS } from "./damage.ts";
import type { MachineProcess } from "./machine-process.ts";
import { isAtServer } from "./seen.ts";
import type { Trial } from "./trial.ts";

/** What HAProxy says of a server that was not asked in time: a busy machine, and reason enough to end its connections. */
const HASTY = / is DOWN, reason: \S+ timeout/g;

/** Whoever comes through the balancer sees nothing of a server that ends in order. */
async function leftUnseen(trial: Trial): Promise<Readonly<Record<string, number>>> {
  const { apiServers, balancer } = trial.masters;
  const server = trial.random.int(apiServers.length);
  const process = apiServers[server] as MachineProcess;
  const { failures } = trial.recording;
  const before = failures.length;
  const hasty = (): number => balancer.output.match(HASTY)?.length ?? 0;
  const hastyBefore = hasty();
  const measured = await survived(trial, {
    lost: [server],
    inject: () => stopped(process),
    mend: () => process.start(),
  });
  const broken = failures.slice(before).filter(({ client, code }) => !isAtServer(client) && code === 0);
  if (broken.length > 0 && hasty() === hastyBefore) {
    throw new Error(`clients of the balancer lost their connections: ${JSON.stringify(broken)}`);
  }
  return { ...measured, broken: broken.length };
}

/** The balancer, in the ways in which others cannot go on through it. */
const balancerFaults: readonly Fault[] = (["freezes", "is unplugged"] as const).map((way) => ({
  name: `the balancer ${way}`,
  run: (trial) => {
    const { balancer, managers } = trial.masters;
    const { inject, mend } = loss(trial, balancer, way);
    return survived(trial, {
      lost: ["balancer"],
      silent: true,
      inject,
      mend: async () => {
        await mend();
        // What it held of theirs it passes on now.
        for (const { name } of managers) trial.reconnected(name);
      },
    });
  },
}));

/** API servers, and the balancer in front of them. */
export const serverFaults: readonly Fault[] = [
  ...WAYS.map((way) => ({
    name: `an API server ${way}`,
    run: (trial: Trial) => {
      const server = trial.random.int(3);
      const process = trial.masters.apiServers[server] as MachineProcess;
      return survived(trial, { ...loss(trial, process, way), lost: [server], silent: way !== "is killed" });
    },
  })),
  { name: "an API server is stopped", run: leftUnseen },
  ...balancerFaults,
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
