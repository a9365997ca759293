import type { Container, HTTPGetAction, TCPSocketAction } from "#api/generated/core/v1.ts";
import {
  type Check,
  containerList,
  containersOf,
  namesWhere,
  type PodLike,
  plural,
  quoted,
  setters,
  sorted,
  type Violation,
} from "../check.ts";

/** The host's network, processes and message queues are not shared. */
export const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  versions: [{ since: 0, check: checkNamespaces }],
};

function checkNamespaces({ spec }: PodLike): Violation | undefined {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field]);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((field) => `${field}=true`).join(", ") };
}

/** No directory of the host is mounted. */
export const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  versions: [{ since: 0, check: checkHostPaths }],
};

function checkHostPaths({ spec }: PodLike): Violation | undefined {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name ?? "");
  if (names.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: `${plural("volume", "volumes", names.length)} ${quoted(names)}` };
}

/** No port of the host is taken. */
export const hostPorts: Check = { id: "hostPorts", level: "baseline", versions: [{ since: 0, check: checkPorts }] };

function checkPorts({ spec }: PodLike): Violation | undefined {
  const taken = ({ ports }: Container): string[] =>
    (ports ?? []).filter(({ hostPort }) => Boolean(hostPort)).map(({ hostPort }) => `${hostPort}`);
  const names = namesWhere(spec, (container) => taken(container).length > 0);
  if (names.length === 0) return undefined;
  const ports = sorted(containersOf(spec).flatMap(taken));
  const detail = `${containerList(names)} ${plural("uses", "use", names.length)} ${plural("hostPort", "hostPorts", ports.length)} ${ports.join(", ")}`;
  return { reason: "hostPort", detail };
}

/** The kubelet is not sent to other hosts by probes and lifecycle handlers. */
export const hostProbesAndHostLifecycle: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  versions: [{ since: 34, check: checkProbes }],
};

function checkProbes({ spec }: PodLike): Violation | undefined {
  const names = sorted(namesWhere(spec, (container) => probedHosts(container).length > 0));
  if (names.length === 0) return undefined;
  const hosts = sorted(containersOf(spec).flatMap(probedHosts));
  const what = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.length);
  const detail = `${containerList(names)} ${plural("uses", "use", names.length)} ${what} ${quoted(hosts)}`;
  return { reason: "probe or lifecycle host", detail };
}

interface Handler {
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
}

function probedHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] {
  const handlers: readonly (Handler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host): host is string => Boolean(host));
}

/** No Windows container runs on the host itself. */
export const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  versions: [{ since: 0, check: checkHostProcess }],
};

function checkHostProcess({ spec }: PodLike): Violation | undefined {
  const names = namesWhere(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
  const who = setters(spec.securityContext?.windowsOptions?.hostProcess === true, names);
  if (who.length === 0) return undefined;
  return {
    reason: "hostProcess",
    detail: `${who.join(" and ")} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}
