import type { Container, Pod } from "#api/generated/core/v1.ts";
import { COMPLETES_LABEL } from "#cri/fake/behaviour.ts";
import type { ContainerConfig, PodSandboxConfig, PortMapping } from "#cri/runtime-service.ts";
import type { EnvironmentVariable } from "./environment.ts";

/** Where the logs of pods are, as kubelets are configured by default. */
const POD_LOGS_DIR = "/var/log/pods";

/** What a pod's sandbox is made of. */
export function sandboxConfig({ metadata, spec }: Pod, attempt: number): PodSandboxConfig {
  const { name = "", namespace = "", uid = "", labels = {}, annotations = {} } = metadata;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: spec.hostname ?? name,
    labels,
    annotations,
    hostNetwork: spec.hostNetwork ?? false,
    logDirectory: `${POD_LOGS_DIR}/${namespace}_${name}_${uid}`,
    portMappings: containers.flatMap(({ ports = [] }) => ports.map(portMapping)),
  };
}

function portMapping({ protocol, containerPort, hostPort = 0 }: NonNullable<Container["ports"]>[number]): PortMapping {
  return { protocol: (protocol ?? "TCP") as PortMapping["protocol"], containerPort, hostPort };
}

/** What one attempt of a container is made of; `completes` when it is meant to end by itself. */
export function containerConfig(
  container: Container,
  attempt: number,
  more: { readonly completes: boolean; readonly envs: readonly EnvironmentVariable[] },
): ContainerConfig {
  const { name, image = "", command = [], args = [], workingDir = "", stdin = false, stdinOnce = false, tty = false } = container;
  return {
    metadata: { name, attempt },
    image,
    command,
    args,
    labels: more.completes ? { [COMPLETES_LABEL]: "true" } : {},
    annotations: {},
    envs: more.envs,
    workingDir,
    logPath: `${name}/${attempt}.log`,
    stdin,
    stdinOnce,
    tty,
  };
}
