import { chmod, link, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { HostVolumes, type HostVolumesOptions } from "./host-volumes.ts";
import { RecordingMounter } from "./recording-mounter.ts";
import { UserNamespaces } from "./user-namespaces.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, in parts.
type Any = any;

let root: string;
let mounter: RecordingMounter;
let clock: ManualClock;
let objects: Record<string, Any>;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "kybern-pods-")));
  mounter = new RecordingMounter();
  clock = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
  objects = {};
});
afterEach(() => rm(root, { recursive: true, force: true }));

const start = (more: Partial<HostVolumesOptions> = {}): Promise<HostVolumes> =>
  HostVolumes.start({
    root,
    files: realHostFiles,
    mounter,
    clock,
    random: seededRandom(1),
    processId: 4711,
    allocatable: () => ({ memory: "1Gi", cpu: "2" }),
    sources: {
      configMap: async (_, name) => objects[`configmap/${name}`],
      secret: async (_, name) => objects[`secret/${name}`],
      token: async (_, audience) => ({ token: `token for ${audience}`, refreshAtMs: clock.now() + 1000 }),
      claim: async (_, name) => objects[`claim/${name}`],
      persistentVolume: async (name) => objects[`volume/${name}`],
      node: async () => undefined,
    },
    clusterDomain: "cluster.local",
    handlerOf: () => ({ name: "", recursiveReadOnlyMounts: false, userNamespaces: true }),
    imageOf: async (_, { reference }) => ({ image: `sha256:${reference}` }),
    tmpfsNoswap: true,
    ...more,
  });

const podOf = (volumes: Any[], mounts: Any[] = [], spec: Any = {}): Pod =>
  ({
    metadata: { name: "web", namespace: "shop", uid: "u-1", labels: { app: "web" } },
    spec: {
      volumes,
      containers: [{ name: "c", volumeMounts: [...volumes.map(({ name }) => ({ name, mountPath: `/mnt/${name}` })), ...mounts] }],
      ...spec,
    },
  }) as Any;
const nowOf = (pod: Pod) => () => ({ pod, addresses: { pod: "10.0.0.5", host: "192.168.0.1" } });
const first = (pod: Pod): Container => pod.spec.containers[0] as Container;
const mountsOf = async (volumes: HostVolumes, pod: Pod, container: Container = first(pod)) => {
  await volumes.setUp(nowOf(pod));
  return volumes.mounts(nowOf(pod), container, 0, (text) => text.replace("$(NAME)", "web"));
};
const modeOf = async (path: string): Promise<string> => ((await lstat(path)).mode & 0o7777).toString(8);
const at = (...names: string[]): string => join(root, "pods/u-1", ...names);

describe("volumes", () => {
  test("emptyDir on disk, in memory and of huge pages", async () => {
    const requests = { resources: { requests: { "hugepages-2Mi": "4Mi" } } };
    const pod = podOf([
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: "huge", emptyDir: { medium: "HugePages" } },
    ]);
    Object.assign(first(pod), requests);
    const volumes = await start();
    const { mounts } = await mountsOf(volumes, pod);
    expect(mounts.slice(0, 3).map(({ hostPath }) => hostPath)).toEqual(
      ["disk", "memory", "huge"].map((name) => at("volumes/kubernetes.io~empty-dir", name)),
    );
    expect(await modeOf(at("volumes/kubernetes.io~empty-dir/disk"))).toBe("777");
    expect(mounter.requests.map(({ source, type, options }) => [source, type, options.join()]).sort()).toEqual([
      ["nodev", "hugetlbfs", "pagesize=2Mi"],
      ["tmpfs", "tmpfs", "noswap,size=1048576"],
    ]);
    await writeFile(at("volumes/kubernetes.io~empty-dir/disk/kept"), "x");
    await (await start()).setUp(nowOf(pod));
    expect(mounter.requests).toHaveLength(2);
    expect(await readdir(at("volumes/kubernetes.io~empty-dir/disk"))).toEqual(["kept"]);
    expect(await modeOf(at())).toBe("750");
  });

  test("ConfigMaps on disk, Secrets in memory, with modes and parts, brought up to date", async () => {
    objects["configmap/map"] = { data: { a: "1", b: "2" }, binaryData: { c: Buffer.of(1, 255).toString("base64") } };
    objects["secret/sec"] = { data: { key: Buffer.from("hidden").toString("base64") } };
    const pod = podOf([
      { name: "map", configMap: { name: "map", defaultMode: 0o644 } },
      { name: "part", configMap: { name: "map", defaultMode: 0o400, items: [{ key: "b", path: "deep/b", mode: 0o440 }] } },
      { name: "sec", secret: { secretName: "sec", defaultMode: 0o400 } },
      { name: "none", secret: { secretName: "none", optional: true } },
    ]);
    const volumes = await start();
    const { mounts } = await mountsOf(volumes, pod);
    expect(mounts.slice(0, 4).every(({ readonly }) => readonly === true)).toBe(true);
    expect(mounter.targets.map((path) => path.split("/").at(-1)).sort()).toEqual(["none", "sec"]);
    const map = at("volumes/kubernetes.io~configmap/map");
    expect(await readFile(join(map, "c"))).toEqual(Buffer.of(1, 255));
    expect(await modeOf(join(at("volumes/kubernetes.io~configmap/part"), "..data/deep/b"))).toBe("440");
    expect(await readFile(at("volumes/kubernetes.io~secret/sec/key"), "utf8")).toBe("hidden");
    objects["configmap/map"] = { data: { a: "new" } };
    await expect(volumes.setUp(nowOf(pod))).rejects.toThrow(
      'MountVolume.SetUp failed for volume "part" : configmap references non-existent config key: b',
    );
    expect((await readdir(map)).filter((name) => !name.startsWith(".."))).toEqual(["a"]);
    expect(await readFile(join(map, "a"), "utf8")).toBe("new");
  });

  test.each([
    { volume: { configMap: { name: "x" } }, want: 'configmap "x" not found' },
    { volume: { secret: { secretName: "x" } }, want: 'secret "x" not found' },
    {
      volume: { projected: { sources: [{ configMap: { name: "x" } }, { secret: { name: "y" } }] } },
      want: '[configmap "x" not found, secret "y" not found]',
    },
    { volume: { emptyDir: { medium: "Tape" } }, want: 'unknown storage medium "Tape"' },
    { volume: { hostPath: { path: "/a/../etc" } }, want: "invalid HostPath `/a/../etc`: must not contain '..'" },
    {
      volume: { csi: { driver: "x.csi" } },
      want: "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name x.csi not found in the list of registered CSI drivers",
    },
  ])("$want", async ({ volume, want }) => {
    const volumes = await start();
    const failed = volumes.setUp(nowOf(podOf([{ name: "v", ...volume }])));
    await expect(failed).rejects.toMatchObject({ message: `MountVolume.SetUp failed for volume "v" : ${want}`, volume: "v" });
  });

  test("a volume that nobody here knows", async () => {
    const failed = (await start()).setUp(nowOf(podOf([{ name: "v", iscsi: {} }])));
    await expect(failed).rejects.toThrow(
      'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: failed to get Plugin from volumeSpec for volume "v" err=no volume plugin matched',
    );
  });

  test("several of which is not known what they are", async () => {
    objects["claim/pending"] = { metadata: {}, status: { phase: "Pending" } };
    const claim = (claimName: string): Any => ({ persistentVolumeClaim: { claimName } });
    const pod = podOf([
      { name: "z", ...claim("pending") },
      { name: "a", ...claim("none") },
      { name: "m", secret: { secretName: "x" } },
      { name: "e", emptyDir: {} },
    ]);
    await expect((await start()).setUp(nowOf(pod))).rejects.toThrow(
      "Unable to attach or mount volumes: unmounted volumes=[a m z], unattached volumes=[], failed to process volumes=[a z]: " +
        "error processing PVC shop/pending: PVC is not bound; " +
        'error processing PVC shop/none: failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
    );
  });

  test("without an API server there are no ConfigMaps, but all else", async () => {
    const volumes = await start({ sources: undefined });
    await volumes.setUp(nowOf(podOf([{ name: "v", emptyDir: {} }])));
    await expect(volumes.setUp(nowOf(podOf([{ name: "v", configMap: { name: "x" } }])))).rejects.toThrow(
      "kube client is not configured",
    );
  });

  test("what no container mounts is not set up", async () => {
    const pod = podOf([], [], { volumes: [{ name: "v", configMap: { name: "x" } }] });
    await (await start()).setUp(nowOf(pod));
    expect(await readdir(at("volumes"))).toEqual([]);
  });

  test("projected: the pod's fields, and tokens for the pod's user alone", async () => {
    const sources = [
      { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
      { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 600 } },
    ];
    const pod = podOf([{ name: "all", projected: { defaultMode: 0o644, sources } }]);
    const volumes = await start();
    await volumes.setUp(nowOf(pod));
    const path = at("volumes/kubernetes.io~projected/all");
    expect(await readFile(join(path, "labels"), "utf8")).toBe('app="web"');
    expect(await readFile(join(path, "token"), "utf8")).toBe("token for vault");
    expect(await modeOf(join(path, "..data/token"))).toBe("644");
    const owned = {
      ...pod,
      metadata: { ...pod.metadata, uid: "u-2" },
      spec: { ...pod.spec, securityContext: { fsGroup: (await lstat(root)).gid } },
    };
    await volumes.setUp(nowOf(owned));
    const token = join(root, "pods/u-2/volumes/kubernetes.io~projected/all/..data/token");
    // Who is in the group may read it too.
    expect(await modeOf(token)).toBe("640");
  });

  test("projected: certificates of others, and of the pod's own", async () => {
    const sources = [
      { clusterTrustBundle: { name: "root", path: "ca.pem" } },
      { podCertificate: { signerName: "s", keyType: "ED25519", credentialBundlePath: "all.pem", keyPath: "key.pem" } },
    ];
    const pod = podOf([{ name: "certs", projected: { sources } }], [], {});
    const forgotten: string[] = [];
    const volumes = await start({
      trustAnchors: { get: async ({ name }) => `anchors of ${name}` },
      certificates: {
        get: async (_, volume, index) => ({ key: `key of ${volume}/${index};`, certificates: "certificates" }),
        forget: (uid) => forgotten.push(uid),
      },
    });
    await volumes.setUp(nowOf(pod));
    const text = (name: string): Promise<string> => readFile(at("volumes/kubernetes.io~projected/certs", name), "utf8");
    expect([await text("ca.pem"), await text("all.pem"), await text("key.pem")]).toEqual([
      "anchors of root",
      "key of certs/1;certificates",
      "key of certs/1;",
    ]);
    await volumes.tearDown("u-1");
    expect(forgotten).toEqual(["u-1"]);
  });

  test("a claim's volume is mounted under its own name, and its group is told", async () => {
    const local = join(root, "disk");
    await mkdir(local);
    const claim = { metadata: { uid: "c-1" }, spec: { volumeName: "pv-1" }, status: { phase: "Bound" } };
    const spec = { claimRef: { uid: "c-1" }, local: { path: local }, mountOptions: ["noexec"] };
    objects["claim/data"] = claim;
    objects["volume/pv-1"] = { metadata: { name: "pv-1", annotations: { "pv.beta.kubernetes.io/gid": "777" } }, spec };
    const volumes = await start();
    const pod = podOf([{ name: "v", persistentVolumeClaim: { claimName: "data", readOnly: true } }]);
    const { mounts } = await mountsOf(volumes, pod);
    const target = at("volumes/kubernetes.io~local-volume/pv-1");
    expect(mounts[0]).toMatchObject({ hostPath: target, readonly: true });
    expect(mounter.requests).toEqual([{ source: local, target, type: "", options: ["bind", "noexec", "ro"] }]);
    expect(volumes.extraGroups("u-1")).toEqual([777]);
  });

  test("nfs is mounted by its server's name; a failure leaves nothing", async () => {
    const volumes = await start();
    await volumes.setUp(nowOf(podOf([{ name: "v", nfs: { server: "fd00::1", path: "/export", readOnly: true } }])));
    expect(mounter.requests[0]).toMatchObject({ source: "[fd00::1]:/export", type: "nfs", options: ["ro"] });
    mounter.mount = async () => Promise.reject(new Error("mount failed: exit status 32"));
    const other = podOf([{ name: "w", nfs: { server: "h", path: "/" } }]);
    await expect(volumes.setUp(nowOf(other))).rejects.toThrow(
      'MountVolume.SetUp failed for volume "w" : mount failed: exit status 32',
    );
    expect(await readdir(at("volumes/kubernetes.io~nfs"))).toEqual(["v"]);
  });

  test("variables stand in files of volumes, and nowhere else", async () => {
    const volumes = await start();
    const pod = podOf([{ name: "v", emptyDir: {} }]);
    await mountsOf(volumes, pod);
    const folder = at("volumes/kubernetes.io~empty-dir/v");
    await writeFile(join(folder, "env"), "A='1'\n");
    await writeFile(join(root, "outside"), "A='2'\n");
    await symlink("env", join(folder, "link"));
    await symlink(join(root, "outside"), join(folder, "out"));
    const ask = (path: string, volumeName = "v") => volumes.envFileValue(nowOf(pod), { volumeName, path, key: "A" });
    expect(await ask("env")).toEqual({ path: join(folder, "env"), value: "1" });
    expect(await ask("link")).toMatchObject({ value: "1" });
    for (const path of ["out", "../../../../outside", "none", "."])
      await expect(ask(path), path).rejects.toThrow("couldn't parse env file");
    await expect(ask("env", "w")).rejects.toThrow('cannot find the volume "w" referenced by FileKeyRef');
  });

  test("an image is for the runtime to mount", async () => {
    const pod = podOf(
      [{ name: "v", image: { reference: "tools:1", pullPolicy: "Always" } }],
      [{ name: "v", mountPath: "/part", subPath: "bin" }],
    );
    const { mounts } = await mountsOf(await start(), pod);
    expect(mounts[0]).toMatchObject({
      containerPath: "/mnt/v",
      hostPath: "",
      image: { image: "sha256:tools:1" },
      readonly: true,
    });
    expect(mounts[1]).toMatchObject({ containerPath: "/part", imageSubPath: "bin" });
  });

  test("what is mounted within a volume of files finds a folder there", async () => {
    objects["configmap/map"] = { data: { a: "1" } };
    const pod = podOf(
      [
        { name: "map", configMap: { name: "map" } },
        { name: "in", emptyDir: {} },
      ],
      [{ name: "in", mountPath: "/mnt/map/deep/er/" }],
    );
    await (await start()).setUp(nowOf(pod));
    expect(await readdir(at("volumes/kubernetes.io~configmap/map/deep"))).toEqual(["er"]);
  });
});

describe("hostPath", () => {
  const check = async (path: string, type: string | undefined): Promise<string> => {
    const volume = { name: "v", hostPath: { path, ...(type === undefined ? {} : { type }) } };
    return (await start()).setUp(nowOf(podOf([volume]))).then(
      () => "fine",
      (error: Error) => error.message.replace('MountVolume.SetUp failed for volume "v" : ', "").replaceAll(root, ""),
    );
  };
  beforeEach(async () => {
    await mkdir(join(root, "dir"));
    await writeFile(join(root, "file"), "");
    await symlink(join(root, "dir"), join(root, "link"));
  });

  test.each([
    { path: "/none", type: undefined, want: "fine" },
    { path: "/none", type: "", want: "fine" },
    { path: "/dir", type: "Directory", want: "fine" },
    { path: "/link", type: "Directory", want: "fine" },
    { path: "/none", type: "Directory", want: "hostPath /none doesn't exist" },
    { path: "/file", type: "Directory", want: "hostPath type check failed: /file is not a directory, it's a File" },
    { path: "/file", type: "DirectoryOrCreate", want: "hostPath type check failed: /file is not a directory, it's a File" },
    { path: "/new/deep", type: "DirectoryOrCreate", want: "fine" },
    { path: "/file", type: "File", want: "fine" },
    { path: "/dir", type: "File", want: "hostPath type check failed: /dir is not a file, it's a Directory" },
    { path: "/new", type: "FileOrCreate", want: "fine" },
    { path: "/none/new", type: "FileOrCreate", want: "open /none/new: no such file or directory" },
    { path: "/dir", type: "Socket", want: "hostPath type check failed: /dir is not a socket file, it's a Directory" },
    { path: "/file", type: "BlockDevice", want: "hostPath type check failed: /file is not a block device, it's a File" },
    { path: "/file", type: "Pipe", want: "Pipe is an invalid volume type" },
  ])("$path as $type: $want", async ({ path, type, want }) => {
    expect(await check(join(root, path), type)).toBe(want);
  });

  test("devices and sockets", async () => {
    expect(await check("/dev/null", "CharDevice")).toBe("fine");
    expect(await check("/dev/null", "File")).toBe("hostPath type check failed: /dev/null is not a file, it's a CharDevice");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, "s.sock"), resolve));
    expect(await check(join(root, "s.sock"), "Socket")).toBe("fine");
    await new Promise((resolve) => server.close(resolve));
  });

  test("what is made has the modes of upstream", async () => {
    await check(join(root, "made"), "DirectoryOrCreate");
    await check(join(root, "made-file"), "FileOrCreate");
    expect([await modeOf(join(root, "made")), await modeOf(join(root, "made-file"))]).toEqual(["755", "644"]);
  });
});

describe("parts of volumes", () => {
  const pod = (mount: Any): Pod =>
    podOf([{ name: "v", emptyDir: {} }], [], {
      containers: [{ name: "c", volumeMounts: [{ name: "v", mountPath: "/m", ...mount }] }],
    });
  const volume = (...names: string[]): string => at("volumes/kubernetes.io~empty-dir/v", ...names);

  test("a part that is not there is made as open as its volume, and mounted from an open file", async () => {
    const { mounts } = await mountsOf(await start(), pod({ subPathExpr: "logs/$(NAME)" }));
    expect(mounts[0]).toMatchObject({ containerPath: "/m", hostPath: at("volume-subpaths/v/c/0") });
    expect(await modeOf(volume("logs/web"))).toBe("777");
    expect(mounter.requests).toEqual([
      {
        source: expect.stringMatching(/^\/proc\/4711\/fd\/\d+$/),
        target: at("volume-subpaths/v/c/0"),
        type: "",
        options: ["bind"],
        exactSource: true,
      },
    ]);
    expect(await modeOf(at("volume-subpaths/v/c"))).toBe("750");
  });

  test("a file is mounted on a file", async () => {
    const volumes = await start();
    await volumes.setUp(nowOf(pod({})));
    await writeFile(volume("file"), "");
    await mountsOf(volumes, pod({ subPath: "file" }));
    expect((await lstat(at("volume-subpaths/v/c/0"))).isFile()).toBe(true);
  });

  test("links within the volume are followed", async () => {
    const volumes = await start();
    await volumes.setUp(nowOf(pod({})));
    await mkdir(volume("real/sub"), { recursive: true });
    await symlink("real", volume("link"));
    await mountsOf(volumes, pod({ subPath: "link/sub" }));
    expect(mounter.requests).toHaveLength(1);
    await mountsOf(volumes, pod({ subPath: "link/new" }));
    expect(await readdir(volume("real"))).toEqual(["new", "sub"]);
  });

  test.each([
    { name: "a link to a folder of the node", link: "/etc", subPath: "link", want: "failed to prepare subPath" },
    { name: "a file behind such a link", link: "/etc", subPath: "link/passwd", want: "failed to prepare subPath" },
    { name: "a folder to be made behind it", link: "OUTSIDE", subPath: "link/new", want: "failed to create subPath directory" },
    { name: "a link upwards", link: "../..", subPath: "link", want: "failed to prepare subPath" },
  ])("$name leads nowhere", async ({ link: target, subPath, want }) => {
    const outside = join(root, "outside");
    await mkdir(outside);
    const volumes = await start();
    await volumes.setUp(nowOf(pod({})));
    await symlink(target.replace("OUTSIDE", outside), volume("link"));
    const failed = mountsOf(volumes, pod({ subPath }));
    await expect(failed).rejects.toThrow(`${want} for volumeMount "v" of container "c"`);
    expect(mounter.requests).toEqual([]);
    expect(await readdir(outside)).toEqual([]);
  });
});

describe("what else a container mounts", () => {
  test("/etc/hosts, unless it mounts that itself, and its termination log", async () => {
    const pod = podOf([]);
    const container = { ...first(pod), terminationMessagePath: "/dev/termination-log" };
    const volumes = await start();
    const { mounts, terminationLogPath } = await mountsOf(volumes, pod, container);
    expect(mounts).toEqual([
      { containerPath: "/etc/hosts", hostPath: at("etc-hosts"), selinuxRelabel: true },
      { containerPath: "/dev/termination-log", hostPath: terminationLogPath, selinuxRelabel: true },
    ]);
    expect(terminationLogPath).toMatch(new RegExp(`^${at("containers/c")}/[0-9a-f]{8}$`));
    expect([await modeOf(at("etc-hosts")), await modeOf(terminationLogPath)]).toEqual(["644", "666"]);
    expect(await readFile(at("etc-hosts"), "utf8")).toContain("10.0.0.5\tweb\n");
    const both = { pod: "10.0.0.5", host: "192.168.0.1", pods: ["10.0.0.5", "fd00::5"] };
    await volumes.mounts(
      () => ({ pod, addresses: both }),
      container,
      0,
      (text) => text,
    );
    expect(await readFile(at("etc-hosts"), "utf8")).toContain("10.0.0.5\tweb\nfd00::5\tweb\n");
    const again = await volumes.mounts(nowOf(pod), container, 1, (text) => text);
    expect(again.terminationLogPath).not.toBe(terminationLogPath);
    const own = podOf([{ name: "v", emptyDir: {} }], [{ name: "v", mountPath: "/etc/hosts" }]);
    expect((await mountsOf(volumes, own)).mounts.filter(({ containerPath }) => containerPath === "/etc/hosts")).toHaveLength(1);
  });

  test("how mounts spread, and whether they can be written to", async () => {
    const mount = (more: Any): Any => ({ name: "v", mountPath: "m", ...more });
    const volumeMounts = [
      mount({ mountPropagation: "Bidirectional" }),
      mount({ mountPropagation: "HostToContainer", readOnly: true }),
    ];
    const pod = podOf([{ name: "v", hostPath: { path: "/srv" } }], [], { containers: [{ name: "c", volumeMounts }] });
    const { mounts } = await mountsOf(await start(), pod);
    expect(mounts[0]).toMatchObject({
      containerPath: "/m",
      propagation: "PROPAGATION_BIDIRECTIONAL",
      readonly: false,
      selinuxRelabel: false,
    });
    expect(mounts[1]).toMatchObject({ propagation: "PROPAGATION_HOST_TO_CONTAINER", readonly: true });
  });

  test("a volume that is not there", async () => {
    const mounts = mountsOf(await start(), podOf([], [{ name: "v", mountPath: "/x" }]));
    await expect(mounts).rejects.toThrow('cannot find volume "v" to mount into container "c"');
  });
});

describe("what volumes take", () => {
  test("files are counted in blocks, by their own name once, and by pods' claims as their file system tells", async () => {
    objects["configmap/map"] = { data: { a: "1" } };
    objects["claim/data"] = { metadata: { uid: "c-1" }, spec: { volumeName: "pv-1" }, status: { phase: "Bound" } };
    await mkdir(join(root, "disk"));
    objects["volume/pv-1"] = {
      metadata: { name: "pv-1" },
      spec: { claimRef: { uid: "c-1" }, local: { path: join(root, "disk") } },
    };
    const volumes = await start();
    const pod = podOf([
      { name: "empty", emptyDir: { sizeLimit: "1Mi" } },
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "map", configMap: { name: "map" } },
      { name: "host", hostPath: { path: "/srv" } },
      { name: "claim", persistentVolumeClaim: { claimName: "data" } },
    ]);
    await volumes.setUp(nowOf(pod));
    const empty = at("volumes/kubernetes.io~empty-dir/empty");
    await writeFile(join(empty, "file"), Buffer.alloc(65_536, 1));
    await link(join(empty, "file"), join(empty, "again"));
    const stats = await volumes.stats(pod);
    expect(stats.map(({ name, isLocalEphemeral }) => [name, isLocalEphemeral])).toEqual([
      ["empty", true],
      ["memory", false],
      ["map", true],
      ["claim", false],
    ]);
    const [first] = stats;
    expect(first).toMatchObject({ inodesUsed: 2, sizeLimitBytes: 1_048_576 });
    expect(first?.usedBytes).toBeGreaterThanOrEqual(65_536);
    expect(first?.usedBytes).toBeLessThan(100_000);
    expect(first?.capacityBytes).toBeGreaterThan(first?.availableBytes ?? 0);
    await writeFile(join(empty, "more"), "x");
    expect(await volumes.stats(pod)).toBe(stats);
    clock.advance(60_000);
    expect((await volumes.stats(pod))[0]).toMatchObject({ inodesUsed: 3 });
    clock.advance(60_000);
    expect(await volumes.stats(podOf([{ name: "unknown", emptyDir: {} }]))).toEqual([]);
  });
});

describe("the end of a pod", () => {
  test("all is unmounted, the last first, and removed", async () => {
    const pod = podOf(
      [
        { name: "m", emptyDir: { medium: "Memory" } },
        { name: "d", emptyDir: {} },
      ],
      [{ name: "d", mountPath: "/x", subPath: "x" }],
    );
    const volumes = await start();
    await mountsOf(volumes, pod);
    const unmounted: string[] = [];
    const unmount = mounter.unmount.bind(mounter);
    mounter.unmount = async (target) => {
      unmounted.push(target);
      await unmount(target);
    };
    await volumes.tearDown("u-1");
    expect(unmounted).toEqual(
      [at("volume-subpaths/d/c/1"), at("volumes/kubernetes.io~empty-dir/m")].map((path) => path.replace("/c/1", "/c/2")),
    );
    expect(await readdir(join(root, "pods"))).toEqual([]);
    await volumes.tearDown("u-1");
  });

  test("pods of earlier runs are cleaned up, those that are known stay", async () => {
    const volumes = await start();
    await volumes.setUp(nowOf(podOf([{ name: "m", emptyDir: { medium: "Memory" } }])));
    await mkdir(join(root, "pods/old/volumes/kubernetes.io~empty-dir/x"), { recursive: true });
    await chmod(join(root, "pods/old/volumes"), 0o750);
    await (await start()).cleanUp(new Set(["u-1"]));
    expect(await readdir(join(root, "pods"))).toEqual(["u-1"]);
    await (await start()).cleanUp(new Set());
    expect([await readdir(join(root, "pods")), mounter.targets]).toEqual([[], []]);
  });

  test("what cannot be unmounted is not removed, and the others are cleaned up all the same", async () => {
    const volumes = await start();
    await volumes.setUp(nowOf(podOf([{ name: "m", emptyDir: { medium: "Memory" } }])));
    await mkdir(join(root, "pods/old"), { recursive: true });
    mounter.unmount = async () => Promise.reject(new Error("target is busy"));
    await expect(volumes.cleanUp(new Set())).rejects.toThrow("target is busy");
    expect(await readdir(join(root, "pods"))).toEqual(["u-1"]);
  });
});

describe("user namespaces", () => {
  const handler = { name: "", userNamespaces: true };
  const own = (uid: string): Pod => ({ metadata: { uid }, spec: { containers: [], hostUsers: false } }) as Any;
  const mapping = (hostId: number) => ({
    mode: "POD",
    uids: [{ hostId, containerId: 0, length: 65536 }],
    gids: [{ hostId, containerId: 0, length: 65536 }],
  });

  test("each pod has ids of its own, which it keeps over restarts, and others get when it is gone", async () => {
    const { paths } = await start();
    const namespaces = new UserNamespaces({ files: realHostFiles, paths });
    expect(await namespaces.get(own("a"), handler)).toEqual(mapping(65536));
    expect(await namespaces.get(own("b"), handler)).toEqual(mapping(131072));
    expect(await namespaces.get(own("a"), handler)).toEqual(mapping(65536));
    const later = new UserNamespaces({ files: realHostFiles, paths });
    await later.load();
    expect(await later.get(own("c"), handler)).toEqual(mapping(196608));
    await rm(join(root, "pods/a"), { recursive: true });
    later.release("a");
    expect(await later.get(own("d"), handler)).toEqual(mapping(65536));
    expect(JSON.parse(await readFile(join(root, "pods/d/userns"), "utf8"))).toEqual({
      uidMappings: [{ hostId: 65536, containerId: 0, length: 65536 }],
      gidMappings: [{ hostId: 65536, containerId: 0, length: 65536 }],
    });
  });

  test("others are in the node's, and some runtimes know of none", async () => {
    const namespaces = new UserNamespaces({ files: realHostFiles, paths: (await start()).paths });
    expect(await namespaces.get({ metadata: {}, spec: { containers: [] } } as Any, handler)).toEqual({ mode: "NODE" });
    const refused = namespaces.get(own("a"), { name: "", userNamespaces: false });
    await expect(refused).rejects.toThrow('RuntimeClass handler "default" does not support user namespaces');
  });

  test("a pod's mounts show the node's ids as its own", async () => {
    const pod = podOf([{ name: "v", emptyDir: {} }], [], { hostUsers: false });
    const volumes = await start();
    const { mounts } = await mountsOf(volumes, pod);
    const mapped = mapping(65536);
    expect(volumes.userNamespaceOf(pod)).toEqual(mapped);
    expect(mounts).toHaveLength(2);
    for (const mount of mounts) expect(mount).toMatchObject({ uidMappings: mapped.uids, gidMappings: mapped.gids });
    await volumes.tearDown("u-1");
    expect(volumes.userNamespaceOf(pod)).toBeUndefined();
    const without = await start({ handlerOf: () => ({ name: "", recursiveReadOnlyMounts: false, userNamespaces: false }) });
    await without.setUp(nowOf(pod));
    expect(() => without.userNamespaceOf(pod)).toThrow("does not support user namespaces");
  });

  test("there are only so many ids", async () => {
    const range = { firstId: 65536, length: 65536 };
    const namespaces = new UserNamespaces({ files: realHostFiles, paths: (await start()).paths }, { range });
    await namespaces.get(own("a"), handler);
    await expect(namespaces.get(own("b"), handler)).rejects.toThrow("could not find an empty slot to allocate a user namespace");
  });
});
