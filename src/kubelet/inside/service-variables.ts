import type { Pod, Service } from "#api/generated/core/v1.ts";

/** The namespace and name of the API server's own service, which every pod is told of. */
const KUBERNETES = "kubernetes";
export const KUBERNETES_NAMESPACE = "default";

/**
 * Variables that tell of services, as Docker's links did (upstream's `pkg/kubelet/envvars`): those of the pod's namespace unless
 * `enableServiceLinks` is off, and the API server's. Only services that were there by `startedAtMs`.
 */
export function serviceVariables(pod: Pod, services: readonly Service[], startedAtMs: number): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const { namespace = "" } = pod.metadata;
  const told = services.filter(({ metadata, spec }) => {
    const isOwn = metadata.namespace === namespace && (pod.spec.enableServiceLinks ?? true);
    const isServer = metadata.namespace === KUBERNETES_NAMESPACE && metadata.name === KUBERNETES;
    const wasThere = Date.parse(metadata.creationTimestamp ?? "") <= startedAtMs;
    const hasAddress = spec?.clusterIP !== undefined && spec.clusterIP !== "" && spec.clusterIP !== "None";
    return hasAddress && wasThere && (isOwn || isServer);
  });
  // The pod's own namespace comes last, and wins.
  for (const service of told.sort((a, b) => order(a, namespace) - order(b, namespace))) {
    for (const [name, value] of variablesOf(service)) variables.set(name, value);
  }
  return variables;
}

function order(service: Service, namespace: string): number {
  return Number(service.metadata.namespace === namespace);
}

function* variablesOf({ metadata, spec }: Service): Generator<readonly [string, string]> {
  const name = (metadata.name ?? "").toUpperCase().replaceAll("-", "_");
  const host = spec?.clusterIP ?? "";
  const authority = host.includes(":") ? `[${host}]` : host;
  const [first, ...others] = spec?.ports ?? [];
  if (first === undefined) return;
  yield [`${name}_SERVICE_HOST`, host];
  yield [`${name}_SERVICE_PORT`, String(first.port)];
  for (const port of [first, ...others]) {
    if (port.name !== undefined && port.name !== "") {
      yield [`${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll("-", "_")}`, String(port.port)];
    }
  }
  for (const port of [first, ...others]) {
    const protocol = port.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${authority}:${port.port}`;
    const prefix = `${name}_PORT_${port.port}_${protocol}`;
    if (port === first) yield [`${name}_PORT`, url];
    yield [prefix, url];
    yield [`${prefix}_PROTO`, protocol.toLowerCase()];
    yield [`${prefix}_PORT`, String(port.port)];
    yield [`${prefix}_ADDR`, host];
  }
}
