/** Sandboxes in CRI: the fields of each message with their numbers, from `pkg/apis/runtime/v1/api.proto` of k8s.io/cri-api. */
export const sandboxMessages = {
  DNSConfig: {
    servers: [1, "string[]"],
    searches: [2, "string[]"],
    options: [3, "string[]"],
  },
  PortMapping: {
    protocol: [1, "Protocol"],
    containerPort: [2, "int32"],
    hostPort: [3, "int32"],
    hostIp: [4, "string"],
  },
  PodSandboxMetadata: {
    name: [1, "string"],
    uid: [2, "string"],
    namespace: [3, "string"],
    attempt: [4, "uint32"],
  },
  PodSandboxConfig: {
    metadata: [1, "PodSandboxMetadata"],
    hostname: [2, "string"],
    logDirectory: [3, "string"],
    dnsConfig: [4, "DNSConfig"],
    portMappings: [5, "PortMapping[]"],
    labels: [6, "map"],
    annotations: [7, "map"],
    linux: [8, "LinuxPodSandboxConfig"],
  },
  RunPodSandboxRequest: {
    config: [1, "PodSandboxConfig"],
    runtimeHandler: [2, "string"],
  },
  RunPodSandboxResponse: {
    podSandboxId: [1, "string"],
  },
  StopPodSandboxRequest: {
    podSandboxId: [1, "string"],
  },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: {
    podSandboxId: [1, "string"],
  },
  RemovePodSandboxResponse: {},
  PodSandboxStatusRequest: {
    podSandboxId: [1, "string"],
    verbose: [2, "bool"],
  },
  PodIP: {
    ip: [1, "string"],
  },
  PodSandboxNetworkStatus: {
    ip: [1, "string"],
    additionalIps: [2, "PodIP[]"],
  },
  LinuxPodSandboxStatus: {
    namespaces: [1, "Namespace"],
  },
  PodSandboxStatus: {
    id: [1, "string"],
    metadata: [2, "PodSandboxMetadata"],
    state: [3, "PodSandboxState"],
    createdAt: [4, "int64"],
    network: [5, "PodSandboxNetworkStatus"],
    linux: [6, "LinuxPodSandboxStatus"],
    labels: [7, "map"],
    annotations: [8, "map"],
    runtimeHandler: [9, "string"],
  },
  PodSandboxStatusResponse: {
    status: [1, "PodSandboxStatus"],
    info: [2, "map"],
    containersStatuses: [3, "ContainerStatus[]"],
    timestamp: [4, "int64"],
  },
  PodSandboxStateValue: {
    state: [1, "PodSandboxState"],
  },
  PodSandboxFilter: {
    id: [1, "string"],
    state: [2, "PodSandboxStateValue"],
    labelSelector: [3, "map"],
  },
  ListPodSandboxRequest: {
    filter: [1, "PodSandboxFilter"],
  },
  PodSandbox: {
    id: [1, "string"],
    metadata: [2, "PodSandboxMetadata"],
    state: [3, "PodSandboxState"],
    createdAt: [4, "int64"],
    labels: [5, "map"],
    annotations: [6, "map"],
    runtimeHandler: [7, "string"],
  },
  ListPodSandboxResponse: {
    items: [1, "PodSandbox[]"],
  },
  PodSandboxAttributes: {
    id: [1, "string"],
    metadata: [2, "PodSandboxMetadata"],
    labels: [3, "map"],
    annotations: [4, "map"],
  },
  UpdatePodSandboxResourcesRequest: {
    podSandboxId: [1, "string"],
    overhead: [2, "LinuxContainerResources"],
    resources: [3, "LinuxContainerResources"],
  },
  UpdatePodSandboxResourcesResponse: {},
} as const;
