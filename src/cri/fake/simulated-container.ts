import type { Timer } from "#base/clock.ts";
import type { ContainerConfig, ContainerStatus } from "../container.ts";
import type { Allowance } from "./allowance.ts";
import type { Behaviour } from "./behaviour.ts";
import type { ContainerProcess } from "./container-process.ts";

/** A container of a simulated runtime. */
export interface SimulatedContainer {
  status: ContainerStatus;
  readonly behaviour: Behaviour;
  readonly process: ContainerProcess;
  readonly allowance: Allowance;
  exitTimer: Timer | undefined;
  /** Told when the container has ended. */
  readonly waiting: (() => void)[];
}

/** What is told of a container that was made and not started. */
export function createdStatus(
  id: string,
  sandboxId: string,
  config: ContainerConfig,
  { logDirectory, createdAtMs }: { readonly logDirectory: string; readonly createdAtMs: number },
): ContainerStatus {
  const { logPath = "", image, linux } = config;
  return {
    id,
    sandboxId,
    metadata: config.metadata,
    state: "CONTAINER_CREATED",
    image: image.image,
    imageRef: image.image,
    labels: config.labels,
    annotations: config.annotations,
    createdAtMs,
    startedAtMs: undefined,
    finishedAtMs: undefined,
    exitCode: 0,
    reason: "",
    message: "",
    logPath: logPath === "" ? "" : `${logDirectory}/${logPath}`,
    ...(linux?.resources === undefined ? {} : { resources: linux.resources }),
  };
}
