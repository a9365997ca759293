import { expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import type { Logger } from "#component-base/logging.ts";
import type { CgroupDriver } from "./cgroup-driver.ts";
import { systemdDriver } from "./cgroup-drivers.ts";
import { type CgroupName, parseCgroupName, podCgroup, systemdPath, systemdSlice } from "./cgroup-names.ts";
import { type CgroupSettings, writesV1, writesV2 } from "./cgroup-settings.ts";
import { type CgroupFiles, CgroupTree, cgroupLayout } from "./cgroup-tree.ts";
import { HostContainerManager, type HostContainerManagerOptions } from "./host-container-manager.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

class RecordingDriver implements CgroupDriver {
  readonly cgroups = new Map<string, CgroupSettings>();

  async apply(name: CgroupName, settings: CgroupSettings): Promise<void> {
    this.cgroups.set(this.parentText(name), settings);
  }

  async remove(name: CgroupName): Promise<void> {
    this.cgroups.delete(this.parentText(name));
  }

  async exists(name: CgroupName): Promise<boolean> {
    return this.cgroups.has(this.parentText(name));
  }

  async children(name: CgroupName): Promise<readonly string[]> {
    const prefix = `${this.parentText(name)}/`;
    return [...this.cgroups.keys()].filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  }

  parentText(name: CgroupName): string {
    return `/${name.join("/")}`;
  }
}

function managerOf(driver: CgroupDriver | undefined, more: Partial<HostContainerManagerOptions> = {}): HostContainerManager {
  return new HostContainerManager({
    capacity: { cpu: "4", memory: "8Gi" },
    allocatable: { cpu: "3", memory: "6Gi" },
    enforced: { cpu: "3", memory: "7Gi" },
    resources: {
      cgroupVersion: 1,
      memoryCapacityBytes: 2 ** 33,
      memoryAllocatableBytes: 2 ** 32,
      swapCapacityBytes: 0,
      countsSwap: false,
      swapBehavior: "NoSwap",
      cpuCfsQuota: true,
      cpuPeriodUs: 100_000,
      singleProcessOomKill: true,
      hugePageSizes: [],
    },
    driver,
    root: [],
    enforcesPods: true,
    reserved: [],
    podPidsMax: undefined,
    logger: silent,
    ...more,
  });
}

const pod = (uid: string, requests?: object, limits?: object): Pod =>
  ({ metadata: { name: uid, uid }, spec: { containers: [{ name: "c", resources: { requests, limits } }] } }) as unknown as Pod;

test("pods have a cgroup each, below that of their class, and leave none", async () => {
  const driver = new RecordingDriver();
  const manager = managerOf(driver, { podPidsMax: 100 });
  await manager.start();
  expect(driver.cgroups.get("/kubepods")).toEqual({ cpuShares: 3072, memoryMax: 7 * 2 ** 30, hugePages: [] });
  expect(await manager.ensurePodCgroup(pod("a", { cpu: "500m" }))).toBe("/kubepods/burstable/poda");
  expect(await manager.ensurePodCgroup(pod("b", { cpu: "250m" }, { memory: "1Gi" }))).toBe("/kubepods/burstable/podb");
  expect(await manager.ensurePodCgroup(pod("c"))).toBe("/kubepods/besteffort/podc");
  expect(await manager.ensurePodCgroup(pod("d", undefined, { cpu: "1", memory: "1Gi" }))).toBe("/kubepods/podd");
  expect(driver.cgroups.get("/kubepods/burstable")).toEqual({ cpuShares: 768 });
  expect(driver.cgroups.get("/kubepods/burstable/poda")).toEqual({ cpuShares: 512, pidsMax: 100, hugePages: [] });
  expect(driver.cgroups.get("/kubepods/burstable/podb")).toMatchObject({ cpuShares: 256, memoryMax: 2 ** 30 });
  expect(driver.cgroups.get("/kubepods/podd")).toMatchObject({ cpuQuotaUs: 100_000, cpuPeriodUs: 100_000, memoryMax: 2 ** 30 });
  for (const uid of ["a", "b", "c", "d"]) await manager.removePodCgroup(uid);
  expect([...driver.cgroups.keys()]).toEqual(["/kubepods", "/kubepods/burstable", "/kubepods/besteffort"]);
  expect(driver.cgroups.get("/kubepods/burstable")).toEqual({ cpuShares: 2 });
});

test("cgroups of pods that are gone are removed, of others not", async () => {
  const driver = new RecordingDriver();
  await driver.apply(["kubepods", "burstable", "podold"], {});
  await driver.apply(["kubepods", "podknown"], {});
  await driver.apply(["kubepods", "besteffort", "other"], {});
  const manager = managerOf(driver);
  await manager.ensurePodCgroup(pod("mine"));
  await manager.cleanUp(new Set(["known"]));
  const left = [...driver.cgroups.keys()].filter((name) => /pod\w+$|other/.test(name.slice("/kubepods".length)));
  expect(left).toEqual(["/kubepods/podknown", "/kubepods/besteffort/other", "/kubepods/besteffort/podmine"]);
});

test("a cgroup root that is not there is an error, and without a driver nothing is made", async () => {
  await expect(managerOf(new RecordingDriver(), { root: ["a"] }).start()).rejects.toThrow(
    "the cgroup root /a is not there: make it, or leave --cgroup-root out",
  );
  const manager = managerOf(undefined);
  await manager.start();
  expect(await manager.ensurePodCgroup(pod("a"))).toBe("");
});

test("slices of systemd are named by their levels", () => {
  const name = podCgroup([], "Burstable", "1-2");
  expect(systemdSlice(name)).toBe("kubepods-burstable-pod1_2.slice");
  expect(systemdPath(name)).toBe("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice");
  expect(parseCgroupName(systemdSlice(name))).toEqual(name);
  expect(parseCgroupName("/a/b")).toEqual(["a", "b"]);
});

test("systemd is asked for a slice and its limits", async () => {
  const said: string[] = [];
  const run = async (command: string, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
    said.push([command, ...args.slice(command === "busctl" ? 4 : 0)].join(" "));
    return { exitCode: 0, stdout: "", stderr: "" };
  };
  const files = { stat: async () => Promise.reject(new Error("ENOENT")) } as unknown as CgroupFiles;
  const layout = { version: 2 as const, hierarchies: [{ mountpoint: "/sys/fs/cgroup", controllers: [] }] };
  const driver = systemdDriver(new CgroupTree(layout, files, async () => {}), { run });
  await driver.apply(["kubepods", "podx"], { cpuShares: 1024, cpuQuotaUs: 50_000, memoryMax: 1000 });
  expect(said).toEqual([
    "busctl StartTransientUnit ssa(sv)a(sa(sv)) kubepods-podx.slice replace 0 0",
    "systemctl set-property --runtime kubepods-podx.slice CPUWeight=39 CPUQuota=50% MemoryMax=1000 TasksMax=infinity",
  ]);
});

test("what is written to cgroups of both versions; a limit that is gone is taken away", () => {
  const settings = { cpuShares: 1024, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, pidsMax: 10 };
  const texts = (writes: readonly { file: string; text: string }[]): string[] =>
    writes.map(({ file, text }) => `${file}=${text}`);
  expect(texts(writesV1(settings))).toEqual([
    "cpu.shares=1024",
    "cpu.cfs_period_us=100000",
    "cpu.cfs_quota_us=50000",
    "memory.limit_in_bytes=-1",
    "pids.max=10",
  ]);
  expect(texts(writesV2(settings))).toEqual(["cpu.weight=39", "cpu.max=50000 100000", "memory.max=max", "pids.max=10"]);
});

test("the layout is read from the mounts", () => {
  const hybrid =
    "cgroup /c/memory cgroup rw,memory 0 0\ncgroup /c/cpu cgroup rw,cpu,cpuacct 0 0\ncgroup2 /c/unified cgroup2 rw 0 0\n";
  expect(cgroupLayout(hybrid)).toMatchObject({
    version: 1,
    hierarchies: [{}, {}, { mountpoint: "/c/unified", controllers: [] }],
  });
  expect(cgroupLayout("cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n")).toMatchObject({ version: 2 });
  expect(cgroupLayout("tmpfs / tmpfs rw 0 0\n")).toBeUndefined();
});

test("cgroups v2 hand controllers down from the root, and say what to do where they cannot be written", async () => {
  const written: string[] = [];
  const files = {
    readFile: async (path: string) => (path.endsWith("cgroup.controllers") ? "cpu memory pids rdma" : "memory"),
    mkdir: async (path: string) => written.push(`mkdir ${path}`),
    writeFile: async (path: string, text: string) => written.push(`${path}=${text}`),
  } as unknown as CgroupFiles;
  const layout = { version: 2 as const, hierarchies: [{ mountpoint: "/c", controllers: [] }] };
  await new CgroupTree(layout, files, async () => {}).apply("/kubepods", {
    cpuShares: 2,
    hugePages: [{ pageSize: "2MB", limit: 0 }],
  });
  expect(written).toEqual([
    "/c/cgroup.subtree_control=+cpu +pids",
    "mkdir /c/kubepods",
    "/c/kubepods/cpu.weight=1",
    "/c/kubepods/cpu.max=max 100000",
    "/c/kubepods/memory.max=max",
    "/c/kubepods/pids.max=max",
  ]);
  const refused = { ...files, mkdir: async () => Promise.reject(Object.assign(new Error("read-only"), { code: "EROFS" })) };
  const tree = new CgroupTree(layout, refused as unknown as CgroupFiles, async () => {});
  await expect(tree.apply("/kubepods", {})).rejects.toThrow("--cgroups-per-qos=false");
});
