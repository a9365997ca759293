import type { NamedCall } from "./program-call.ts";

/** From so many simulated nodes on there is more garbage than the usual room is good for. */
const NODES_MIN = 2_000;
/** Machines of less memory have better use for it. */
const MEMORY_MIN = 4 * 2 ** 30;
/** V8's usual room is 48: two spaces of 16 that objects are copied between, and as much for large ones. */
const ROOM_MB = 384;

/**
 * How much memory young objects are to have, in megabytes; undefined where V8's usual room is right. Objects that die before their
 * space is full cost its collector nothing, others are copied: what a cluster of many nodes has in hand at a time does not fit into
 * the usual one (docs/adr/0007-room-for-young-objects.md). `memoryBytes` tells what the process may use.
 */
export function roomForYoung({ name, args }: NamedCall, memoryBytes: () => number): number | undefined {
  return name === "up" && simulatedNodes(args) >= NODES_MIN && memoryBytes() >= MEMORY_MIN ? ROOM_MB : undefined;
}

/** The command line is understood later, as a whole, and by what is larger than all of this. */
function simulatedNodes(args: readonly string[]): number {
  const at = args.findLastIndex((arg) => /^--?nodes(=|$)/.test(arg));
  const [, inline] = (args[at] ?? "").split("=");
  return Number(inline ?? args[at + 1] ?? 0);
}
