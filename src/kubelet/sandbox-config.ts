import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerConfig } from "#cri/container.ts";
import { COMPLETES_LABEL } from "#cri/fake/behaviour.ts";
import { TERMINATION_PATH_ANNOTATION, TERMINATION_POLICY_ANNOTATION } from "#cri/fake/termination-message.ts";
import type { PodSandboxConfig, PortMapping } from "#cri/pod-sandbox.ts";
import type { Prepared } from "./inside/pod-inside.ts";

/** Where the logs of pods are, as kubelets are configured by default. */
const POD_LOGS_DIR = "/var/log/pods";

/** Longest name of a host, in characters. */
const HOSTNAME_LENGTH_MAX = 63;

/** What a pod's containers call their host. */
export function hostnameOf({ metadata, spec }: Pick<Pod, "metadata" | "spec">): string {
  return (spec.hostname ?? metadata.name ?? "").slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]$/, "");
}

/** What a pod's sandbox is made of. */
export function sandboxConfig({ metadata, spec }: Pod, attempt: number): PodSandboxConfig {
  const { name = "", namespace = "", uid = "", labels = {}, annotations = {} } = metadata;
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: hostnameOf({ metadata, spec }),
    labels,
    annotations,
    logDirectory: `${POD_LOGS_DIR}/${namespace}_${name}_${uid}`,
    portMappings: containers.flatMap(({ ports = [] }) => ports.map(portMapping)),
    linux: { securityContext: { namespaceOptions: { network: spec.hostNetwork === true ? "NODE" : "POD" } } },
  };
}

function portMapping({ protocol, containerPort, hostPort = 0 }: NonNullable<Container["ports"]>[number]): PortMapping {
  return { protocol: (protocol ?? "TCP") as PortMapping["protocol"], containerPort, hostPort };
}

/** What one attempt of a container is made of; `completes` when it is meant to end by itself. */
export function containerConfig(
  container: Container,
  attempt: number,
  more: Prepared & { readonly completes: boolean },
): ContainerConfig {
  const { name, image = "", workingDir = "", stdin = false, stdinOnce = false, tty = false } = container;
  return {
    metadata: { name, attempt },
    image: { image, userSpecifiedImage: image },
    command: more.command,
    args: more.args,
    labels: more.completes ? { [COMPLETES_LABEL]: "true" } : {},
    annotations: {
      [TERMINATION_PATH_ANNOTATION]: container.terminationMessagePath ?? "",
      [TERMINATION_POLICY_ANNOTATION]: container.terminationMessagePolicy ?? "",
    },
    envs: more.envs,
    workingDir,
    logPath: `${name}/${attempt}.log`,
    stdin,
    stdinOnce,
    tty,
  };
}
