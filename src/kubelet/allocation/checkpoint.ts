import type { ResourceRequirements } from "#api/generated/core/v1.ts";
import { JsonSyntaxError, parseJsonNodes } from "#apimachinery/schema/json-parse.ts";

/** The resources of one pod. */
export interface PodResources {
  /** By the container's name. */
  readonly containers: ReadonlyMap<string, ResourceRequirements>;
  /** What the pod asks for as a whole. */
  readonly pod?: ResourceRequirements;
}

/** As it stands in a file, under upstream's names. */
interface Entry {
  readonly ContainerResources: Readonly<Record<string, ResourceRequirements>> | null;
  readonly PodLevelResources?: ResourceRequirements | null;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A file that is not what was written. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
}

/**
 * What stands in `allocated_pods_state` and `actuated_pods_state` (upstream's `kubelet/allocation/state`): the resources of pods
 * by their uids, as a text within JSON, and a checksum of it.
 */
export function encodeCheckpoint(pods: ReadonlyMap<string, PodResources>): string {
  const entries = Object.fromEntries(sorted(pods).map(([uid, resources]) => [uid, entryOf(resources)]));
  const data = JSON.stringify(pods.size === 0 ? {} : { entries });
  return JSON.stringify({ data, checksum: checksumOf(data) });
}

/** Throws {@link CheckpointError} for what was not written whole, or was changed. */
export function decodeCheckpoint(text: string): ReadonlyMap<string, PodResources> {
  const { data, checksum } = parse<{ readonly data?: unknown; readonly checksum?: unknown }>(text);
  if (typeof data !== "string" || checksumOf(data) !== checksum) throw new CheckpointError("checkpoint is corrupted");
  const { entries } = parse<{ readonly entries?: Readonly<Record<string, Entry>> }>(data);
  return new Map(Object.entries(entries ?? {}).map(([uid, entry]) => [uid, resourcesOf(entry)]));
}

function parse<T extends object>(text: string): T {
  try {
    parseJsonNodes(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new CheckpointError(error.message);
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new CheckpointError("checkpoint is corrupted");
  return value as T;
}

function entryOf({ containers, pod }: PodResources): Entry {
  return { ContainerResources: Object.fromEntries(sorted(containers)), PodLevelResources: pod ?? null };
}

function resourcesOf({ ContainerResources, PodLevelResources }: Entry): PodResources {
  const containers = new Map(Object.entries(ContainerResources ?? {}));
  return PodLevelResources === undefined || PodLevelResources === null ? { containers } : { containers, pod: PodLevelResources };
}

function sorted<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** FNV-1a in 32 bits of a text as upstream dumps it before it takes the sum: with its type before it. */
function checksumOf(data: string): number {
  let sum = FNV_OFFSET;
  for (const byte of Buffer.from(`(string)${data}`)) sum = Math.imul(sum ^ byte, FNV_PRIME) >>> 0;
  return sum;
}
