import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "#base/random.ts";
import type { MachineProcess } from "./machine-process.ts";
import { PLACES, type Place } from "./seen.ts";
import type { Trial } from "./trial.ts";

/** Something that goes wrong while clients work, and is mended. `run` resolves with what was measured; rejects when not all goes on as it should. */
export interface Fault {
  readonly name: string;
  readonly run: (trial: Trial) => Promise<Readonly<Record<string, number | string>>>;
}

/** How long it may take until calls are answered again: others must find out what is wrong, and go elsewhere; several times longer than on a quiet machine. */
export const OUTAGE_MAX_MS = 60_000;
/** The same after all is mended. */
export const RECOVERY_MAX_MS = 90_000;
/** How long a fault lasts at least. */
export const LAST_MS = 1_000;
/** How long nothing at all answers. */
const NOTHING_MS = 5_000;
/** Until a process has ended that was asked to, or `strace` looks over another. */
export const PROCESS_MS = 60_000;
/** Calls of each client that show that it goes on. */
const CALLS = 5;

/** How something is damaged, and mended. */
export interface Damage {
  /** Where clients call that need not get an answer. */
  readonly lost?: readonly Place[];
  /** Those of them that can say nothing at all: their clients' calls may take as long as that. */
  readonly silent?: boolean;
  readonly inject: () => unknown;
  /** What must come to be while it lasts. */
  readonly meanwhile?: () => Promise<unknown>;
  readonly mend: () => unknown;
}

/** Calls go on while something is wrong, and all of them when it is mended. */
export async function survived(trial: Trial, damage: Damage): Promise<Readonly<Record<string, number>>> {
  const { lost = [], silent = false, inject, meanwhile, mend } = damage;
  trial.nextRound();
  const others = PLACES.filter((place) => !lost.includes(place));
  const heard = silent ? trial.silenced(lost) : undefined;
  await inject();
  let outage: number;
  try {
    outage = await trial.progress(CALLS, OUTAGE_MAX_MS, others);
    if (others.includes("balancer")) await trial.deployments.scale();
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
export async function outlived(trial: Trial, { inject, meanwhile, mend }: Damage): Promise<Readonly<Record<string, number>>> {
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

/** One of them. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.int(from.length)] as T;
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

/** The ways in which a program may be lost. */
export const WAYS = ["is killed", "freezes", "is unplugged"] as const;

/** One of {@link WAYS}. */
export function loss(trial: Trial, process: MachineProcess, way: string): Damage {
  const found = losses(trial, process).find(([name]) => name === way);
  if (found === undefined) throw new Error(way);
  return found[1];
}

/** Asks a program to end. Rejects when it does not end, or not in order. */
export async function stopped(process: MachineProcess): Promise<void> {
  const late = new AbortController();
  const tooLong = sleep(PROCESS_MS, "late" as const, { signal: late.signal }).catch(() => "late" as const);
  const code = await Promise.race([process.stop(), tooLong]);
  late.abort();
  if (code === "late") throw new Error(`${process.name} does not end`);
  if (code !== 0) throw new Error(`${process.name} ended with ${code}`);
}
