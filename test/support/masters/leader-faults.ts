import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../kubectl.ts";
import { type Fault, LAST_MS, loss, pick, RECOVERY_MAX_MS, stopped, survived, WAYS } from "./damage.ts";
import type { Elected } from "./elected.ts";
import { hasFaketime } from "./machine-clocks.ts";
import type { MachineProcess } from "./machine-process.ts";
import { LEASE_DURATION_MS } from "./masters.ts";
import type { Trial } from "./trial.ts";

/** Beside the time of a Lease: standbys look every half second, first when it was renewed and then when its time is over. */
const STANDBY_MS = 1_500;
const CLEAN_STOP_MS = 2_000;
/** Calls that are made one after another, by several programs, until another leads. */
const CALLS_OF_CHANGE = 10;
/** Tokens are not taken whose time begins much later. */
const SERVER_STEP_SECONDS = 45;

/** A leader goes in some way, another follows, and the first comes back. */
async function leaderLost(trial: Trial, name: Elected, way: string): Promise<Readonly<Record<string, number>>> {
  const client = trial.masters.client("balancer");
  const followed = async (from: MachineProcess): Promise<MachineProcess | undefined> => {
    const leader = await trial.leaders.current(name, client);
    return leader === undefined || leader === from ? undefined : leader;
  };
  try {
    const leader = await trial.leaders.steady(name, client, RECOVERY_MAX_MS);
    const { inject, mend } =
      way === "is stopped" ? { inject: () => stopped(leader), mend: () => leader.start() } : loss(trial, leader, way);
    const since = performance.now();
    const givenBack = way === "is stopped" ? trial.leaders.givenBack(name, leader) : undefined;
    await inject();
    try {
      await eventually(() => followed(leader), RECOVERY_MAX_MS, `another ${name} leads`);
      const taken = Math.round(performance.now() - since);
      await givenBack?.();
      // What is to be quick takes longer on a machine that has too much to do: by as much as calls do at the same time.
      const slack = CALLS_OF_CHANGE * trial.recording.slowestSince(since);
      const limit = Math.round((way === "is stopped" ? CLEAN_STOP_MS : LEASE_DURATION_MS + STANDBY_MS) + slack);
      if (taken > limit) throw new Error(`leadership of ${name} passed after ${taken} ms, not within ${limit}`);
      await trial.deployments.scale();
      await sleep(LAST_MS);
      return { taken };
    } finally {
      await mend();
      // It must not act now that it is back, though it led when it went.
      await trial.deployments.scale();
      await sleep(LAST_MS);
    }
  } finally {
    client.close();
  }
}

/** Who leads goes, in each way, and comes back. */
export const leaderFaults: readonly Fault[] = ["is stopped", ...WAYS].map((way) => ({
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
export const clockFaults: readonly Fault[] = hasFaketime
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
            for (const process of others) masters.clocks.set(process.name, seconds);
            masters.clocks.set(server.name, Math.sign(seconds) * SERVER_STEP_SECONDS);
          },
          mend: () => {
            for (const process of [...others, server]) masters.clocks.set(process.name, 0);
          },
        });
      },
    }))
  : [];
