import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerConfig, Device, Mount } from "#cri/container.ts";
import type { LinuxContainerResources, LinuxContainerSecurityContext } from "#cri/linux-config.ts";
import type { PulledImage } from "../images/image-manager.ts";
import type { Prepared } from "../pod-environment.ts";
import { containerAnnotations, containerLabels } from "./labels.ts";

/** What a container is made of beside its own spec. */
export interface ContainerFacts extends Omit<Prepared, "expand"> {
  readonly attempt: number;
  readonly image: PulledImage;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly resources: LinuxContainerResources | undefined;
  readonly securityContext: LinuxContainerSecurityContext | undefined;
  /** Of its pod's RuntimeClass. */
  readonly runtimeHandler: string;
}

/** What one attempt of a container is made of (upstream's `generateContainerConfig`). */
export function containerConfig(pod: Pod, container: Container, facts: ContainerFacts): ContainerConfig {
  const { name, image = "", workingDir = "", stdin = false, stdinOnce = false, tty = false } = container;
  const { attempt, resources, securityContext, runtimeHandler } = facts;
  const linux = {
    ...(resources === undefined ? {} : { resources }),
    ...(securityContext === undefined ? {} : { securityContext }),
  };
  return {
    metadata: { name, attempt },
    image: { image: facts.image.imageId, userSpecifiedImage: image, ...(runtimeHandler === "" ? {} : { runtimeHandler }) },
    command: facts.command,
    args: facts.args,
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, attempt),
    envs: facts.envs,
    workingDir,
    ...(facts.mounts.length === 0 ? {} : { mounts: facts.mounts }),
    ...(facts.devices.length === 0 ? {} : { devices: facts.devices }),
    logPath: `${name}/${attempt}.log`,
    stdin,
    stdinOnce,
    tty,
    linux,
  };
}
