import type { ApiObject } from "#apimachinery/meta/api-object.ts";

const ZONE = "topology.kubernetes.io/zone";
const HOSTNAME = "kubernetes.io/hostname";

type Topology = Record<string, string>;
type OldEndpoint = { topology?: Topology; nodeName?: string };
type Endpoint = { deprecatedTopology?: Topology; nodeName?: string; zone?: string };

/** From `discovery.k8s.io/v1beta1`, where the zone and the node stand in a map. */
export function fromOldSlice(object: ApiObject): ApiObject {
  const { endpoints } = object as { endpoints?: OldEndpoint[] };
  return endpoints === undefined ? object : { ...object, endpoints: endpoints.map(today) };
}

/** To `discovery.k8s.io/v1beta1`. */
export function toOldSlice(object: ApiObject): ApiObject {
  const { endpoints } = object as { endpoints?: Endpoint[] };
  return endpoints === undefined ? object : { ...object, endpoints: endpoints.map(old) };
}

function today({ topology, ...endpoint }: OldEndpoint): Endpoint {
  if (topology === undefined) return endpoint;
  const { [ZONE]: zone, [HOSTNAME]: host, ...others } = topology;
  const nodeName = endpoint.nodeName ?? host;
  // Another node than the endpoint's is kept, as odd as it is.
  const deprecatedTopology = { ...others, ...(host !== undefined && host !== nodeName && { [HOSTNAME]: host }) };
  return {
    ...endpoint,
    ...(nodeName !== undefined && { nodeName }),
    ...(zone !== undefined && { zone }),
    ...(Object.keys(deprecatedTopology).length > 0 && { deprecatedTopology }),
  };
}

function old({ deprecatedTopology, zone, ...endpoint }: Endpoint): OldEndpoint {
  const { nodeName } = endpoint;
  if (deprecatedTopology === undefined && zone === undefined && nodeName === undefined) return endpoint;
  const topology: Topology = { ...deprecatedTopology, ...(zone !== undefined && { [ZONE]: zone }) };
  if (nodeName !== undefined) topology[HOSTNAME] ||= nodeName;
  return { ...endpoint, topology };
}
