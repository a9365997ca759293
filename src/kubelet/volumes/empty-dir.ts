import { posix } from "node:path";
import type { EmptyDirVolumeSource, Pod, ResourceRequirements } from "#api/generated/core/v1.ts";
import { formatQuantity, parseQuantity, quantityCompare, quantityValue } from "#apimachinery/resource/quantity.ts";
import { podLimits } from "#component-helpers/pod/pod-limits.ts";
import type { MountPoint } from "./mount-info.ts";
import { setOwnership } from "./ownership.ts";
import { PLUGINS } from "./pod-paths.ts";
import { type SetUpRequest, type SetUpVolume, uidOf, type VolumeHost } from "./volume-host.ts";

const OPEN_TO_ALL = 0o777;
const HUGE_PAGES = "HugePages";
const HUGE_PAGES_RESOURCE = "hugepages-";
const READY = "ready";

/** A folder of the pod's own on the node's disk, in memory or of huge pages (upstream's `emptydir`). */
export async function setUpEmptyDir(host: VolumeHost, { pod, volume }: SetUpRequest): Promise<SetUpVolume> {
  const path = host.paths.volume(uidOf(pod), PLUGINS.emptyDir, volume.specName);
  await makeEmptyDir(host, { pod, name: volume.specName, path, source: volume.source.emptyDir ?? {} });
  return { path, readOnly: false, relabel: true };
}

/** A folder that {@link makeEmptyDir} makes. */
export interface EmptyDirRequest {
  readonly pod: Pod;
  /** By which is remembered that it is ready. */
  readonly name: string;
  readonly path: string;
  readonly source: EmptyDirVolumeSource;
}

/** Makes the folder, for a volume of its own or for files to be put in. What is there already stays. */
export async function makeEmptyDir(host: VolumeHost, { pod, name, path, source }: EmptyDirRequest): Promise<void> {
  const { files, mounter, paths } = host;
  const { medium = "", sizeLimit } = source;
  const ready = posix.join(paths.meta(uidOf(pod), PLUGINS.emptyDir, name), READY);
  const isReady = await exists(host, ready);
  const mounted = (await mounter.list()).find((mount) => mount.path === path);
  if (isReady && (medium === "" ? await exists(host, path) : mounted !== undefined)) return;
  await files.mkdir(path, { recursive: true, mode: OPEN_TO_ALL });
  if (mounted === undefined) {
    await files.chmod(path, OPEN_TO_ALL);
    if (medium === "Memory") {
      const size = memorySize(pod, host.allocatable().memory ?? 0, sizeLimit);
      const options = [...(host.tmpfsNoswap ? ["noswap"] : []), ...(size > 0 ? [`size=${size}`] : [])];
      await mounter.mount({ source: "tmpfs", target: path, type: "tmpfs", options });
    } else if (medium.startsWith(HUGE_PAGES)) {
      await mounter.mount({ source: "nodev", target: path, type: "hugetlbfs", options: [pageSize(medium, pod)] });
    } else if (medium !== "") throw new Error(`unknown storage medium "${medium}"`);
  } else checkHugePages(pod, path, medium, mounted);
  await setOwnership(files, path, { fsGroup: pod.spec.securityContext?.fsGroup, readOnly: false });
  await files.mkdir(posix.dirname(ready), { recursive: true, mode: 0o750 });
  await files.writeFile(ready, "", { mode: 0o644 });
}

/** The least of what the node has, what the pod may use, and the volume's own limit, in bytes (upstream's `calculateEmptyDirMemorySize`). */
export function memorySize(pod: Pod, nodeMemory: string | number, sizeLimit: string | number | undefined): number {
  const node = quantityValue(parseQuantity(nodeMemory));
  // What some container uses without a limit is not limited by the pod's.
  const hasLimit = ({ limits }: ResourceRequirements = {}): boolean => limits?.memory !== undefined;
  const isLimited = hasLimit(pod.spec.resources) || pod.spec.containers.every(({ resources }) => hasLimit(resources));
  const podLimit = podLimits(pod).get("memory");
  const podMemory = podLimit === undefined || !isLimited ? 0 : quantityValue(podLimit);
  const own = sizeLimit === undefined ? 0 : quantityValue(parseQuantity(sizeLimit));
  return [podMemory, own].reduce((size, limit) => (limit > 0 && (limit <= size || size === 0) ? limit : size), node);
}

/** `pagesize=` for the huge pages that the pod's containers request, in upstream's words where that is not clear. */
export function pageSize(medium: string, { spec }: Pod): string {
  const wanted = medium === HUGE_PAGES ? undefined : parseQuantity(medium.slice(HUGE_PAGES.length + 1));
  const lists = [
    spec.resources?.requests,
    ...[...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }) => resources?.requests),
  ];
  const sizes = lists
    .flatMap((list) => Object.keys(list ?? {}))
    .filter((name) => name.startsWith(HUGE_PAGES_RESOURCE))
    .map((name) => parseQuantity(name.slice(HUGE_PAGES_RESOURCE.length)));
  const [first, ...others] = wanted === undefined ? sizes : sizes.filter((size) => quantityCompare(size, wanted) === 0);
  if (first === undefined) {
    throw new Error(`medium ${medium}: hugePages storage requested, but there is no resource request for huge pages`);
  }
  if (others.some((size) => quantityCompare(size, first) !== 0)) {
    throw new Error(`medium: ${medium} can't be used if container requests multiple huge page sizes`);
  }
  return `pagesize=${formatQuantity(first)}`;
}

function checkHugePages(pod: Pod, path: string, medium: string, mounted: MountPoint): void {
  if (!medium.startsWith(`${HUGE_PAGES}-`) || mounted.type === "hugetlbfs") return;
  throw new Error(`pod ${uidOf(pod)}: mounted dir ${path} pagesize is not determined`);
}

async function exists({ files }: VolumeHost, path: string): Promise<boolean> {
  return files.lstat(path).then(
    () => true,
    () => false,
  );
}
