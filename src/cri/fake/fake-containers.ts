import type { Clock, Timer } from "#base/clock.ts";
import type { ContainerFilter, ContainerStatus } from "../container.ts";
import { NotFoundError } from "../cri-error.ts";
import type { LinuxContainerResources } from "../linux-config.ts";
import type { LogFiles } from "../log-files.ts";
import type { ContainerEvent } from "../runtime-service.ts";
import { fitsContainer } from "./filters.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { SimulatedContainer } from "./simulated-container.ts";

/** Exit code of a container that ended because it was asked to (SIGTERM), and of one that was killed. */
const EXIT_TERMINATED = 143;
export const EXIT_KILLED = 137;
/** How long a container that ends waits for its command to end too, in milliseconds. */
const LAST_WORDS_MS = 20;

/** The containers of a simulated runtime: their states, the time that passes in them, and who is told of both. */
export class FakeContainers {
  readonly #clock: Clock;
  readonly #byId = new Map<string, SimulatedContainer>();
  /** Ids by sandbox, as long as it has any. */
  readonly #bySandbox = new Map<string, Set<string>>();
  readonly #listeners = new Set<(event: ContainerEvent) => void>();
  /** Of containers that take their time to end. */
  readonly #stopTimers = new Set<Timer>();
  readonly #logs = new Map<string, MemoryLog>();
  /** Their logs, by the path that their status tells. */
  readonly logFiles: LogFiles = {
    open: async (path) => {
      const log = this.#logs.get(path);
      if (log === undefined) throw Object.assign(new Error(`open ${path}: no such file or directory`), { code: "ENOENT" });
      return log;
    },
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws a {@link NotFoundError} for one that there is not. */
  get(id: string): SimulatedContainer {
    const container = this.#byId.get(id);
    if (container === undefined) throw new NotFoundError(`no container ${id}`);
    return container;
  }

  /** Throws for a container that does not run. */
  running(id: string): SimulatedContainer {
    const container = this.get(id);
    const { state } = container.status;
    if (state !== "CONTAINER_RUNNING") throw new Error(`container is in ${state} state`);
    return container;
  }

  /** The ids of a sandbox's containers, as they are now. */
  idsOf(sandboxId: string): readonly string[] {
    return [...(this.#bySandbox.get(sandboxId) ?? [])];
  }

  statuses(filter: ContainerFilter): readonly ContainerStatus[] {
    const { sandboxId } = filter;
    const ids = sandboxId === undefined ? this.#byId.keys() : (this.#bySandbox.get(sandboxId) ?? []);
    const statuses: ContainerStatus[] = [];
    for (const id of ids) {
      const status = this.#byId.get(id)?.status;
      if (status !== undefined && fitsContainer(status, filter)) statuses.push(status);
    }
    return statuses;
  }

  add(container: SimulatedContainer): void {
    const { id, sandboxId, logPath } = container.status;
    if (logPath !== "") this.#logs.set(logPath, container.process.log);
    this.#byId.set(id, container);
    const siblings = this.#bySandbox.get(sandboxId);
    if (siblings === undefined) this.#bySandbox.set(sandboxId, new Set([id]));
    else siblings.add(id);
    this.#tell(container, "CONTAINER_CREATED_EVENT");
  }

  async start(id: string): Promise<void> {
    const container = this.get(id);
    if (container.status.state !== "CONTAINER_CREATED") throw new Error(`container ${id} was started before`);
    container.status = { ...container.status, state: "CONTAINER_RUNNING", startedAtMs: this.#clock.now() };
    this.#tell(container, "CONTAINER_STARTED_EVENT");
    const endsItself = await container.process.start();
    if (container.status.state !== "CONTAINER_RUNNING") return;
    const { runMs, exitCode, isTold } = container.behaviour;
    if (runMs === undefined || (endsItself && !isTold)) return;
    const exit = (): void => this.exit(id, exitCode);
    // What its command says at this very moment is still said.
    const hearOut = (): void => {
      container.exitTimer = this.#clock.setTimeout(exit, LAST_WORDS_MS);
      container.process.onSilent(exit);
    };
    container.exitTimer = this.#clock.setTimeout(container.process.speaks ? hearOut : exit, runMs);
  }

  /** Resolves when it has ended, by itself or killed after its time: at once for one that is not there. */
  async stop(id: string, timeoutSeconds: number): Promise<void> {
    const container = this.#byId.get(id);
    if (container === undefined || container.status.state === "CONTAINER_EXITED") return;
    const { stopMs } = container.behaviour;
    const timeoutMs = Math.max(0, timeoutSeconds) * 1000;
    if (timeoutMs === 0) this.exit(id, EXIT_KILLED);
    else if (stopMs === 0) this.exit(id, EXIT_TERMINATED);
    else {
      const inTime = stopMs <= timeoutMs;
      const ended = new Promise<void>((resolve) => container.waiting.push(resolve));
      const end = (): void => this.exit(id, inTime ? EXIT_TERMINATED : EXIT_KILLED);
      const timer = this.#clock.setTimeout(end, Math.min(stopMs, timeoutMs));
      this.#stopTimers.add(timer);
      await ended;
      timer.clear();
      this.#stopTimers.delete(timer);
    }
  }

  /** Does nothing for one that is not there. */
  remove(id: string): void {
    const container = this.#byId.get(id);
    if (container === undefined) return;
    this.exit(id, EXIT_KILLED);
    this.#byId.delete(id);
    const { sandboxId, logPath } = container.status;
    this.#logs.delete(logPath);
    container.allowance.release();
    const siblings = this.#bySandbox.get(sandboxId);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#bySandbox.delete(sandboxId);
    this.#tell(container, "CONTAINER_DELETED_EVENT");
  }

  /** There are no cgroups: the status tells what was asked for. */
  updateResources(id: string, resources: LinuxContainerResources): void {
    const container = this.get(id);
    const { state } = container.status;
    if (state !== "CONTAINER_CREATED" && state !== "CONTAINER_RUNNING") throw new Error(`container is in ${state} state`);
    container.status = { ...container.status, resources: { ...container.status.resources, ...resources } };
  }

  /** Its command has ended: so has the container, unless its behaviour says when it does. */
  commandEnded(id: string, exitCode: number): void {
    if (this.#byId.get(id)?.behaviour.isTold === false) this.exit(id, exitCode);
  }

  /** Does nothing for one that is not there, or has ended. */
  exit(id: string, exitCode: number): void {
    const container = this.#byId.get(id);
    if (container === undefined || container.status.state === "CONTAINER_EXITED") return;
    container.exitTimer?.clear();
    container.status = {
      ...container.status,
      state: "CONTAINER_EXITED",
      finishedAtMs: this.#clock.now(),
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
    };
    container.process.end();
    container.status = { ...container.status, message: container.process.terminationMessage(exitCode) };
    for (const resolve of container.waiting.splice(0)) resolve();
    this.#tell(container, "CONTAINER_STOPPED_EVENT");
  }

  /** Tells of their events until what is returned is called. */
  listen(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends all timers, for a node that goes away. */
  close(): void {
    for (const container of this.#byId.values()) container.exitTimer?.clear();
    for (const timer of this.#stopTimers) timer.clear();
    for (const container of this.#byId.values()) container.process.end();
    this.#listeners.clear();
  }

  #tell({ status: { id, sandboxId } }: SimulatedContainer, type: ContainerEvent["type"]): void {
    for (const listener of this.#listeners) listener({ containerId: id, sandboxId, type });
  }
}
