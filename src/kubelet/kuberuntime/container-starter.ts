import type { Container, Pod } from "#api/generated/core/v1.ts";
import { goFileText } from "#base/host-files.ts";
import type { ContainerConfig } from "#cri/container.ts";
import type { LinuxContainerSecurityContext } from "#cri/linux-config.ts";
import type { PodSandboxConfig } from "#cri/pod-sandbox.ts";
import type { PulledImage } from "../images/image-manager.ts";
import { MissingReferenceError } from "../inside/missing-reference.ts";
import type { PodNow } from "../inside/pod-volumes.ts";
import type { ContainerKind } from "../metrics/kubelet-metrics.ts";
import { isSidecar } from "../observed-pod.ts";
import type { ContainerStart } from "../pod-actions.ts";
import type { PodEvents } from "../pod-events.ts";
import type { PodWorkerModules } from "../pod-worker-modules.ts";
import { containerConfig } from "./container-config.ts";
import { messageOf } from "./message-of.ts";
import { imageUserOf, verifyRunAsNonRoot } from "./run-as-non-root.ts";
import { sandboxSecurityOf } from "./sandbox-security.ts";
import { containerSecurityContext } from "./security-context.ts";

/** Why a container could not be started: reason and message of its waiting state, in upstream's words. */
export interface StartProblem {
  readonly reason: string;
  readonly message: string;
  /** When to try again, in milliseconds by `Clock.elapsed`; when the pod is tried again when absent. */
  readonly retryAtMs?: number;
}

/** What a container is started in. */
export interface StartSite {
  readonly sandboxId: string;
  readonly sandbox: PodSandboxConfig;
  readonly runtimeHandler: string;
}

/** How often is told that something a container refers to is not there, in milliseconds. */
const PROBLEM_EVENT_MS = 10_000;

/** Starts containers of one pod (upstream's `startContainer`): image, variables, mounts, the container, its process. */
export class ContainerStarter {
  readonly #modules: PodWorkerModules;
  readonly #events: PodEvents;
  readonly #now: PodNow;
  /** When the events of what is missing were told last; by message. */
  #toldAtMs: Map<string, number> | undefined;
  /** Of containers whose specs refer to what is not there: their images are not asked for at each try; by name. */
  #images: Map<string, PulledImage> | undefined;
  /** Why containers could not be started; by name. */
  readonly problems: Map<string, StartProblem> = new Map();

  constructor(modules: PodWorkerModules, events: PodEvents, now: PodNow) {
    this.#modules = modules;
    this.#events = events;
    this.#now = now;
  }

  /** The id of the container that runs now; undefined when it could not be started, which {@link problems} and events tell. */
  async start(site: StartSite, start: ContainerStart): Promise<string | undefined> {
    const { counts } = this.#modules;
    const kind = kindOf(this.#now().pod, start);
    counts?.startingContainer(kind);
    const id = await this.#start(site, start);
    if (id === undefined) counts?.containerFailed(kind, this.problems.get(start.container.name)?.reason ?? "");
    return id;
  }

  async #start(site: StartSite, start: ContainerStart): Promise<string | undefined> {
    const { container } = start;
    const { pod } = this.#now();
    const config = await this.#configure(pod, start, site);
    if (config === undefined) return undefined;
    const id = await this.#try(container, "CreateContainerError", () =>
      this.#modules.runtime.createContainer(site.sandboxId, config, site.sandbox),
    );
    if (id === undefined) return undefined;
    this.#events.container(pod, container.name, "Created", "Container created");
    const logPath = `${site.sandbox.logDirectory ?? ""}/${config.logPath ?? ""}`;
    // Only who reads logs by other names would miss it.
    await this.#modules.sandboxes?.linkLog(pod, container.name, id, logPath).catch(() => undefined);
    const started = await this.#try(container, "RunContainerError", async () => {
      await this.#modules.runtime.startContainer(id);
      return true;
    });
    if (started === undefined) return undefined;
    this.problems.delete(container.name);
    this.#events.container(pod, container.name, "Started", "Container started");
    return id;
  }

  async #configure(
    pod: Pod,
    { container, isInit, attempt, targetId }: ContainerStart,
    site: StartSite,
  ): Promise<ContainerConfig | undefined> {
    const { images, cgroups, environment, volumes, decorate } = this.#modules;
    const image = this.#images?.get(container.name) ?? (await images.ensureImage(pod, container, site.sandbox));
    this.#images?.delete(container.name);
    if ("reason" in image) {
      this.#fail(container.name, image, image.reason);
      return undefined;
    }
    try {
      const { expand, ...prepared } = await environment.prepare(this.#now, container);
      const { mounts, devices = [] } = await volumes.mounts(this.#now, container, attempt, expand);
      const { runtimeHandler } = site;
      const resources = cgroups.containerResources(pod, container);
      const securityContext = this.#securityContext(pod, container, image, targetId);
      const facts = { ...prepared, attempt, image, mounts, devices, resources, runtimeHandler, securityContext };
      const config = containerConfig(pod, container, facts);
      const completes = isSidecar(container) ? false : isInit || pod.spec.restartPolicy !== "Always";
      return decorate?.(config, completes) ?? config;
    } catch (error) {
      this.#images ??= new Map();
      this.#images.set(container.name, image);
      const message = goFileText(error);
      const isMissing = error instanceof MissingReferenceError;
      this.#fail(container.name, { reason: "CreateContainerConfigError", message }, message, isMissing);
      return undefined;
    }
  }

  #securityContext(
    pod: Pod,
    container: Container,
    image: PulledImage,
    targetId: string | undefined,
  ): LinuxContainerSecurityContext | undefined {
    const { security } = this.#modules;
    if (security === undefined) return undefined;
    const user = imageUserOf(image.user);
    const target = targetId === undefined ? {} : { targetId };
    const refused = verifyRunAsNonRoot(pod, container, user);
    if (refused !== undefined) throw new Error(refused);
    return containerSecurityContext(pod, container, user, { ...security, ...sandboxSecurityOf(security, pod), ...target });
  }

  async #try<T>(container: Container, reason: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.#fail(container.name, { reason, message: messageOf(error) }, messageOf(error));
      return undefined;
    }
  }

  #fail(name: string, problem: StartProblem, text: string, isRepeated = true): void {
    this.problems.set(name, problem);
    const nowMs = this.#modules.clock.elapsed();
    const key = `${name} ${text}`;
    this.#toldAtMs ??= new Map();
    const before = this.#toldAtMs.get(key);
    if (isRepeated && before !== undefined && nowMs - before < PROBLEM_EVENT_MS) return;
    this.#toldAtMs.set(key, nowMs);
    this.#events.warning(this.#now().pod, name, "Failed", `Error: ${text}`);
  }
}

function kindOf({ spec }: Pod, { container, isInit }: ContainerStart): ContainerKind {
  if (isInit) return "init_container";
  const isEphemeral = spec.ephemeralContainers?.some(({ name }) => name === container.name) === true;
  return isEphemeral ? "ephemeral_container" : "container";
}
