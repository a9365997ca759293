/** What CRI tells of usage: the fields of each message with their numbers, from `pkg/apis/runtime/v1/api.proto` of k8s.io/cri-api. */
export const statsMessages = {
  PodSandboxStatsRequest: {
    podSandboxId: [1, "string"],
  },
  PodSandboxStatsResponse: {
    stats: [1, "PodSandboxStats"],
  },
  PodSandboxStatsFilter: {
    id: [1, "string"],
    labelSelector: [2, "map"],
  },
  ListPodSandboxStatsRequest: {
    filter: [1, "PodSandboxStatsFilter"],
  },
  ListPodSandboxStatsResponse: {
    stats: [1, "PodSandboxStats[]"],
  },
  PodSandboxStats: {
    attributes: [1, "PodSandboxAttributes"],
    linux: [2, "LinuxPodSandboxStats"],
  },
  LinuxPodSandboxStats: {
    cpu: [1, "CpuUsage"],
    memory: [2, "MemoryUsage"],
    network: [3, "NetworkUsage"],
    process: [4, "ProcessUsage"],
    containers: [5, "ContainerStats[]"],
    io: [6, "IoUsage"],
  },
  NetworkUsage: {
    timestamp: [1, "int64"],
    defaultInterface: [2, "NetworkInterfaceUsage"],
    interfaces: [3, "NetworkInterfaceUsage[]"],
  },
  NetworkInterfaceUsage: {
    name: [1, "string"],
    rxBytes: [2, "UInt64Value"],
    rxErrors: [3, "UInt64Value"],
    txBytes: [4, "UInt64Value"],
    txErrors: [5, "UInt64Value"],
  },
  ProcessUsage: {
    timestamp: [1, "int64"],
    processCount: [2, "UInt64Value"],
  },
  ImageFsInfoRequest: {},
  FilesystemIdentifier: {
    mountpoint: [1, "string"],
  },
  FilesystemUsage: {
    timestamp: [1, "int64"],
    fsId: [2, "FilesystemIdentifier"],
    usedBytes: [3, "UInt64Value"],
    inodesUsed: [4, "UInt64Value"],
  },
  ImageFsInfoResponse: {
    imageFilesystems: [1, "FilesystemUsage[]"],
    containerFilesystems: [2, "FilesystemUsage[]"],
  },
  ContainerStatsRequest: {
    containerId: [1, "string"],
  },
  ContainerStatsResponse: {
    stats: [1, "ContainerStats"],
  },
  ListContainerStatsRequest: {
    filter: [1, "ContainerStatsFilter"],
  },
  ContainerStatsFilter: {
    id: [1, "string"],
    podSandboxId: [2, "string"],
    labelSelector: [3, "map"],
  },
  ListContainerStatsResponse: {
    stats: [1, "ContainerStats[]"],
  },
  ContainerAttributes: {
    id: [1, "string"],
    metadata: [2, "ContainerMetadata"],
    labels: [3, "map"],
    annotations: [4, "map"],
  },
  ContainerStats: {
    attributes: [1, "ContainerAttributes"],
    cpu: [2, "CpuUsage"],
    memory: [3, "MemoryUsage"],
    writableLayer: [4, "FilesystemUsage"],
    swap: [5, "SwapUsage"],
    io: [6, "IoUsage"],
  },
  PsiStats: {
    full: [1, "PsiData"],
    some: [2, "PsiData"],
  },
  PsiData: {
    total: [1, "uint64"],
    avg10: [2, "double"],
    avg60: [3, "double"],
    avg300: [4, "double"],
  },
  CpuUsage: {
    timestamp: [1, "int64"],
    usageCoreNanoSeconds: [2, "UInt64Value"],
    usageNanoCores: [3, "UInt64Value"],
    psi: [4, "PsiStats"],
  },
  MemoryUsage: {
    timestamp: [1, "int64"],
    workingSetBytes: [2, "UInt64Value"],
    availableBytes: [3, "UInt64Value"],
    usageBytes: [4, "UInt64Value"],
    rssBytes: [5, "UInt64Value"],
    pageFaults: [6, "UInt64Value"],
    majorPageFaults: [7, "UInt64Value"],
    psi: [8, "PsiStats"],
  },
  IoUsage: {
    timestamp: [1, "int64"],
    psi: [2, "PsiStats"],
  },
  SwapUsage: {
    timestamp: [1, "int64"],
    swapAvailableBytes: [2, "UInt64Value"],
    swapUsageBytes: [3, "UInt64Value"],
  },
} as const;
