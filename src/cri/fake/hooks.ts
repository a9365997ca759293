import type { Duplex } from "node:stream";
import type { ProcessStreams } from "../streaming/streaming-runtime.ts";

/** Which simulated container. */
export interface ContainerIdentity {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly image: string;
}

/** Which simulated pod, and which of its ports. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly ip: string;
  readonly port: number;
}

/** What a test puts in the place of what is simulated by default. */
export interface SimulationHooks {
  /** Runs a command; gives its exit code, or nothing to leave the command to the simulated shell. */
  readonly exec?: (
    argv: readonly string[],
    io: ProcessStreams & ContainerIdentity,
  ) => number | undefined | Promise<number | undefined>;
  /** Answers a connection to a port of a pod; `false` leaves it to the default server, or refuses it where none is. */
  readonly serve?: (connection: Duplex, port: PodPort) => boolean;
}
