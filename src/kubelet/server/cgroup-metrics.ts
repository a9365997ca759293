import type { Cadvisor } from "../cadvisor/cadvisor.ts";
import type { CgroupFound } from "../cadvisor/cgroup-reader.ts";
import { CGROUP_FAMILIES, type CgroupFacts, type Family } from "../cadvisor/families.ts";
import type { NodeStats } from "../stats/node-stats.ts";
import type { KubeletHost } from "./kubelet-host.ts";
import type { Metric, Sample } from "./metric.ts";

type Labels = Readonly<Record<string, string>>;

/** A cgroup with what it is called. */
interface Told extends CgroupFacts {
  readonly labels: Labels;
  /** Seconds since the epoch; undefined where nobody knows. */
  readonly createdAt: number | undefined;
  readonly startedAt: number | undefined;
  /** Of the container's own file system, or of the machine's. */
  readonly disk: Readonly<Partial<Record<"usage" | "limit" | "inodes" | "inodesFree", number>>>;
  readonly seenAt: number;
}

const single = (name: string, help: string, value: (of: Told) => number | undefined): Family<Told> => ({
  name: `container_${name}`,
  help,
  type: "gauge",
  values: (of) => {
    const found = value(of);
    return found === undefined ? [] : [{ value: found }];
  },
});

/** What does not come from the kernel's counters. */
const OTHERS: readonly Family<Told>[] = [
  single("last_seen", "Last time this container was seen by the exporter", ({ seenAt }) => seenAt),
  single("creation_time_seconds", "Container creation time since unix epoch in seconds.", ({ createdAt }) => createdAt),
  single("start_time_seconds", "Start time of the container since unix epoch in seconds.", ({ startedAt }) => startedAt),
  single("fs_inodes_free", "Number of available Inodes", ({ disk }) => disk.inodesFree),
  single("fs_inodes_total", "Number of Inodes", ({ disk }) => disk.inodes),
  single("fs_limit_bytes", "Number of bytes that can be consumed by the container on this filesystem.", ({ disk }) => disk.limit),
  single("fs_usage_bytes", "Number of bytes that are consumed by the container on this filesystem.", ({ disk }) => disk.usage),
];

/** The page by what the kernel counts: the machine, its classes of pods, pods, containers and sandboxes. Undefined where the kubelet makes no cgroups. */
export async function cgroupMetrics(host: KubeletHost, cadvisor: Cadvisor): Promise<readonly Metric[] | undefined> {
  const found = await cadvisor.list();
  if (found.length === 0) return undefined;
  const told = await tellAll(host, cadvisor, found);
  const families: readonly Family<Told>[] = [...CGROUP_FAMILIES, ...OTHERS];
  const containers = families.map(({ name, help, type, values }) => ({
    name,
    help,
    type,
    samples: told.flatMap((one) => values(one).map((sample) => labelled(one.labels, sample))),
  }));
  const error: Metric = {
    name: "container_scrape_error",
    help: "1 if there was an error while getting container metrics, 0 otherwise",
    type: "gauge",
    samples: [{ value: 0 }],
  };
  return [...containers.filter(({ samples }) => samples.length > 0), error, ...(await cadvisor.machine())];
}

async function tellAll(host: KubeletHost, cadvisor: Cadvisor, found: readonly CgroupFound[]): Promise<readonly Told[]> {
  const [node, deviceName, bootSeconds, labelsOf] = await Promise.all([
    host.nodeStats?.(),
    cadvisor.deviceNames(),
    cadvisor.bootSeconds(),
    labeller(host),
  ]);
  const seenAt = Math.floor((host.now?.() ?? 0) / 1000);
  const root: CgroupFound = { path: "/", podUid: undefined, containerId: undefined };
  const all = [root, ...found].map(async (one): Promise<readonly Told[]> => {
    const isRoot = one.path === "/";
    const { labels, isSandbox, createdAt, startedAt, usage } = labelsOf(one);
    const reading = await cadvisor.read(one.path, isRoot || isSandbox, isRoot ? node?.memory.usageBytes : undefined);
    if (reading === undefined) return [];
    const times = isRoot ? { createdAt: bootSeconds, startedAt: bootSeconds } : { createdAt, startedAt };
    return [{ ...reading, ...times, labels, deviceName, seenAt, disk: isRoot ? rootDisk(node) : { ...(usage && { usage }) } }];
  });
  return (await Promise.all(all)).flat();
}

/** What is known of a cgroup's name. */
interface Naming {
  readonly labels: Labels;
  readonly isSandbox: boolean;
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly usage?: number;
}

/** Who a cgroup is of, by what the runtime and the kubelet know (upstream's `containerPrometheusLabelsFunc`). */
async function labeller(host: KubeletHost): Promise<(found: CgroupFound) => Naming> {
  const { runtime } = host;
  const [containers, sandboxes, stats, pauseImage] = await Promise.all([
    runtime.containerStatuses(),
    runtime.listPodSandbox(),
    runtime.listContainerStats().catch(() => []),
    host.sandboxImage?.(),
  ]);
  const pods = new Map(host.pods().map(({ metadata }) => [metadata.uid ?? "", metadata]));
  const containerById = new Map(containers.map((one) => [one.id, one]));
  const sandboxById = new Map(sandboxes.map((one) => [one.id, one]));
  const written = new Map(stats.map(({ id, writableLayer }) => [id, writableLayer?.usedBytes]));
  return ({ path, podUid = "", containerId = "" }) => {
    const container = containerById.get(containerId);
    const sandbox = sandboxById.get(container?.sandboxId ?? containerId);
    const isSandbox = sandbox !== undefined && container === undefined;
    const { name = "", namespace = "" } = sandbox?.metadata ?? pods.get(podUid) ?? {};
    const image = container?.image ?? (isSandbox ? (pauseImage ?? "") : "");
    const labels = { container: container?.metadata.name ?? "", id: path, image, name: containerId, namespace, pod: name };
    const createdAtMs = container?.createdAtMs ?? sandbox?.createdAtMs;
    const startedAtMs = container === undefined ? sandbox?.createdAtMs : container.startedAtMs;
    const usage = written.get(containerId);
    return {
      labels,
      isSandbox,
      ...(createdAtMs === undefined ? {} : { createdAt: Math.floor(createdAtMs / 1000) }),
      ...(startedAtMs === undefined ? {} : { startedAt: Math.floor(startedAtMs / 1000) }),
      ...(usage === undefined ? {} : { usage }),
    };
  };
}

function rootDisk(node: NodeStats | undefined): Told["disk"] {
  if (node === undefined) return {};
  const { usedBytes, capacityBytes, inodes, inodesFree } = node.disks.node;
  return { usage: usedBytes, limit: capacityBytes, inodes, inodesFree };
}

/** In the order of the alphabet, as Prometheus' own programs have them. */
function labelled(own: Labels, { labels = {}, value }: Sample): Sample {
  const all = Object.entries({ ...own, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { labels: Object.fromEntries(all), value };
}
