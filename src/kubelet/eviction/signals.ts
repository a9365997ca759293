import { newQuantity, type Quantity } from "#apimachinery/resource/quantity.ts";
import type { DiskStats, NodeStats } from "../stats/node-stats.ts";

/** What is watched, and what runs short with it (upstream's `signalToResource`). */
const RESOURCES = {
  "memory.available": "memory",
  "allocatableMemory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "nodefs.inodesFree": "inodes",
  "imagefs.available": "ephemeral-storage",
  "imagefs.inodesFree": "inodes",
  "containerfs.available": "ephemeral-storage",
  "containerfs.inodesFree": "inodes",
  "pid.available": "pids",
} as const;

/** What is watched. */
export type Signal = keyof typeof RESOURCES;
/** What runs short. */
export type StarvedResource = (typeof RESOURCES)[Signal];
/** What a node says of itself then. */
export type PressureCondition = "MemoryPressure" | "DiskPressure" | "PIDPressure";

/** How much there is of something. */
export interface Observation {
  readonly available: Quantity;
  readonly capacity: Quantity;
}

/** What was seen at one time. */
export type Observations = ReadonlyMap<Signal, Observation>;

const CONDITIONS: Readonly<Record<StarvedResource, PressureCondition>> = {
  memory: "MemoryPressure",
  "ephemeral-storage": "DiskPressure",
  inodes: "DiskPressure",
  pids: "PIDPressure",
};

/** Whether there is such a signal. */
export function isSignal(text: string): text is Signal {
  return Object.hasOwn(RESOURCES, text);
}

/** What runs short with a signal. */
export function resourceOf(signal: Signal): StarvedResource {
  return RESOURCES[signal];
}

/** The node's condition for a signal. */
export function conditionOf(signal: Signal): PressureCondition {
  return CONDITIONS[resourceOf(signal)];
}

/** What of a node is seen; `pods` is the memory that its pods use, and may use (upstream's `makeSignalObservations`). */
export function observationsOf(
  stats: NodeStats,
  pods: { readonly memoryBytes: number; readonly memoryMax: number },
): Observations {
  const { memory, processes, disks } = stats;
  return new Map<Signal, Observation>([
    ["memory.available", bytes(memory.capacityBytes - memory.workingSetBytes, memory.capacityBytes)],
    ["allocatableMemory.available", bytes(pods.memoryMax - pods.memoryBytes, pods.memoryMax)],
    ...ofDisk("nodefs", disks.node),
    ...ofDisk("imagefs", disks.images),
    ...ofDisk("containerfs", disks.containers),
    ["pid.available", counts(processes.max - processes.running, processes.max)],
  ]);
}

function ofDisk(name: "nodefs" | "imagefs" | "containerfs", disk: DiskStats): readonly (readonly [Signal, Observation])[] {
  const room: readonly [Signal, Observation] = [`${name}.available`, bytes(disk.availableBytes, disk.capacityBytes)];
  // Some file systems do not count them.
  return disk.inodes === 0 ? [room] : [room, [`${name}.inodesFree`, counts(disk.inodesFree, disk.inodes)]];
}

function bytes(available: number, capacity: number): Observation {
  return {
    available: newQuantity(Math.trunc(available), 0, "BinarySI"),
    capacity: newQuantity(Math.trunc(capacity), 0, "BinarySI"),
  };
}

function counts(available: number, capacity: number): Observation {
  return { available: newQuantity(available, 0, "DecimalSI"), capacity: newQuantity(capacity, 0, "DecimalSI") };
}
