import { describe, expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume, VolumeMount } from "#api/generated/core/v1.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { type ClaimSources, claimedVolume, claimNameOf } from "./claims.ts";
import { isRecursiveReadOnly, subPathOf } from "./container-mounts.ts";
import { memorySize, pageSize } from "./empty-dir.ts";
import { PodPaths } from "./pod-paths.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { fsUserOf } from "./volume-host.ts";

const podOf = (spec: object): Pod =>
  ({
    metadata: { name: "web", namespace: "shop", uid: "u-1" },
    spec: { containers: [{ name: "c" }], ...spec },
  }) as unknown as Pod;
const limits = (memory: string): object => ({ resources: { limits: { memory } } });

test("things are where upstream's kubelet has them", () => {
  const paths = new PodPaths("/var/lib/kubelet");
  expect([
    paths.volume("u", "kubernetes.io/empty-dir", "cache"),
    paths.meta("u", "kubernetes.io/empty-dir", "cache"),
    paths.hostsFile("u"),
    paths.container("u", "app"),
    paths.subPath("u", "cache", "app", 2),
    paths.userNamespace("u"),
  ]).toEqual([
    "/var/lib/kubelet/pods/u/volumes/kubernetes.io~empty-dir/cache",
    "/var/lib/kubelet/pods/u/plugins/kubernetes.io~empty-dir/cache",
    "/var/lib/kubelet/pods/u/etc-hosts",
    "/var/lib/kubelet/pods/u/containers/app",
    "/var/lib/kubelet/pods/u/volume-subpaths/cache/app/2",
    "/var/lib/kubelet/pods/u/userns",
  ]);
  for (const name of ["..", ".", "", "a/b", "a\0"]) expect(() => paths.pod(name)).toThrow("cannot be the name of a folder");
});

test.each([
  { name: "what the node has", spec: {}, limit: undefined, want: 1024 ** 3 },
  { name: "the volume's limit", spec: {}, limit: "64Mi", want: 64 * 1024 ** 2 },
  { name: "a limit above what the node has", spec: {}, limit: "2Gi", want: 1024 ** 3 },
  { name: "the pod's limit", spec: { containers: [limits("100Mi"), limits("28Mi")] }, limit: undefined, want: 128 * 1024 ** 2 },
  { name: "the least of all", spec: { containers: [limits("100Mi")] }, limit: "1Mi", want: 1024 ** 2 },
  { name: "containers without a limit", spec: { containers: [limits("1Mi"), {}] }, limit: undefined, want: 1024 ** 3 },
  { name: "a limit of zero", spec: {}, limit: "0", want: 1024 ** 3 },
  { name: "the pod's own limit", spec: limits("32Mi"), limit: undefined, want: 32 * 1024 ** 2 },
])("a volume in memory is as large as $name", ({ spec, limit, want }) => {
  expect(memorySize(podOf(spec), "1Gi", limit)).toBe(want);
});

describe("huge pages", () => {
  const requests = (...names: string[]): object => ({
    containers: names.map((name) => ({ resources: { requests: { [name]: "2Mi" } } })),
  });
  test.each([
    { medium: "HugePages", spec: requests("hugepages-2Mi"), want: "pagesize=2Mi" },
    { medium: "HugePages-1Gi", spec: requests("hugepages-2Mi", "hugepages-1Gi"), want: "pagesize=1Gi" },
    {
      medium: "HugePages",
      spec: requests("hugepages-2Mi", "hugepages-1Gi"),
      error: "medium: HugePages can't be used if container requests multiple huge page sizes",
    },
    {
      medium: "HugePages-2Mi",
      spec: requests("cpu"),
      error: "medium HugePages-2Mi: hugePages storage requested, but there is no resource request for huge pages",
    },
  ])("$medium: $want$error", ({ medium, spec, want, error }) => {
    const size = (): string => pageSize(medium, podOf(spec));
    if (error === undefined) expect(size()).toBe(want);
    else expect(size).toThrow(error);
  });
});

test.each([
  { users: [undefined, undefined], pod: undefined, want: undefined },
  { users: [5, 5], pod: undefined, want: 5 },
  { users: [5, undefined], pod: 5, want: 5 },
  { users: [5, 6], pod: undefined, want: undefined },
  { users: [5, undefined], pod: undefined, want: undefined },
])("the user of containers with $users and of a pod with $pod is $want", ({ users, pod, want }) => {
  const containers = users.map((runAsUser) => ({ securityContext: { runAsUser } }));
  expect(fsUserOf(podOf({ containers, securityContext: { runAsUser: pod } }))).toBe(want);
});

describe("the part of a volume that is mounted", () => {
  const expand = (text: string): string =>
    text.replace("$(POD)", "web").replace("$(ABS)", "/etc").replace("$(UP)", "a/../b").replace("$$", "$");
  test.each([
    { mount: {}, want: "" },
    { mount: { subPath: "a/b" }, want: "a/b" },
    { mount: { subPath: "$(POD)" }, want: "$(POD)" },
    { mount: { subPathExpr: "logs/$(POD)" }, want: "logs/web" },
    { mount: { subPathExpr: "a$$b" }, want: "a$b" },
    { mount: { subPath: "/etc" }, error: "error SubPath `/etc` must not be an absolute path" },
    { mount: { subPathExpr: "$(ABS)" }, error: "error SubPath `/etc` must not be an absolute path" },
    { mount: { subPathExpr: "$(UP)" }, error: "unable to provision SubPath `a/../b`: must not contain '..'" },
    { mount: { subPathExpr: "$(NONE)" }, error: 'missing value for "NONE"' },
  ])("$mount: $want$error", ({ mount, want, error }) => {
    const part = (): string => subPathOf({ name: "v", mountPath: "/m", ...mount } as VolumeMount, expand);
    if (error === undefined) expect(part()).toBe(want);
    else expect(part).toThrow(error);
  });
});

describe("mounts that are read-only through and through", () => {
  const asked = 'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is not';
  test.each([
    { mount: {}, runtime: true, want: false },
    { mount: { recursiveReadOnly: "Disabled" }, runtime: true, want: false },
    { mount: { recursiveReadOnly: "IfPossible", readOnly: true }, runtime: true, want: true },
    { mount: { recursiveReadOnly: "IfPossible", readOnly: true }, runtime: false, want: false },
    { mount: { recursiveReadOnly: "Enabled", readOnly: true }, runtime: true, want: true },
    { mount: { recursiveReadOnly: "Enabled", readOnly: true }, runtime: false, error: `${asked} supported by the runtime` },
    { mount: { recursiveReadOnly: "Enabled" }, runtime: true, error: `${asked} read-only` },
    {
      mount: { recursiveReadOnly: "Enabled", readOnly: true, mountPropagation: "HostToContainer" },
      runtime: true,
      error: `${asked} compatible with propagation "HostToContainer"`,
    },
  ])("$mount, runtime can: $runtime", ({ mount, runtime, want, error }) => {
    const result = (): boolean => isRecursiveReadOnly({ name: "v", mountPath: "/m", ...mount } as VolumeMount, runtime);
    if (error === undefined) expect(result()).toBe(want);
    else expect(result).toThrow(error);
  });
});

describe("volumes of claims", () => {
  const claim = (over: object = {}, metadata: object = {}): PersistentVolumeClaim =>
    ({
      metadata: { name: "data", uid: "c-1", ...metadata },
      spec: { volumeName: "pv-1" },
      status: { phase: "Bound" },
      ...over,
    }) as never;
  const volume = (spec: object = {}, metadata: object = {}): PersistentVolume =>
    ({
      metadata: { name: "pv-1", ...metadata },
      spec: { claimRef: { uid: "c-1" }, hostPath: { path: "/srv" }, ...spec },
    }) as never;
  const node = { metadata: { name: "n", labels: { zone: "a" } } } as never;
  const sources = (found: {
    claim?: PersistentVolumeClaim | undefined;
    volume?: PersistentVolume | undefined;
  }): ClaimSources => ({
    claim: async () => found.claim,
    persistentVolume: async () => found.volume,
    node: async () => node,
  });
  const persistent = { name: "v", persistentVolumeClaim: { claimName: "data", readOnly: true } } as Volume;
  const ephemeral = { name: "v", ephemeral: {} } as Volume;
  const inZone = (zone: string): object => ({
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }] } },
  });
  const processing = "error processing PVC shop/data:";

  test.each([
    {
      name: "no claim",
      found: {},
      want: `${processing} failed to fetch PVC from API server: persistentvolumeclaims "data" not found`,
    },
    {
      name: "a claim that goes",
      found: { claim: claim({}, { deletionTimestamp: "t" }) },
      want: `${processing} PVC is being deleted`,
    },
    {
      name: "a claim that is not bound",
      found: { claim: claim({ status: { phase: "Pending" } }) },
      want: `${processing} PVC is not bound`,
    },
    {
      name: "a claim without a volume",
      found: { claim: claim({ spec: {} }) },
      want: `${processing} PVC has empty pvc.Spec.VolumeName`,
    },
    {
      name: "no volume",
      found: { claim: claim() },
      want: `${processing} failed to fetch PV pv-1 from API server: persistentvolumes "pv-1" not found`,
    },
    {
      name: "a volume of nobody",
      found: { claim: claim(), volume: volume({ claimRef: undefined }) },
      want: `${processing} found PV object pv-1 but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
    },
    {
      name: "a volume of another",
      found: { claim: claim(), volume: volume({ claimRef: { uid: "c-2" } }) },
      want: `${processing} found PV object pv-1 but its pv.Spec.ClaimRef.UID c-2 does not point to claim.UID c-1`,
    },
    {
      name: "a block device",
      found: { claim: claim(), volume: volume({ volumeMode: "Block" }) },
      want: `volume v has volumeMode Block, but is specified in volumeMounts`,
    },
    {
      name: "a volume of elsewhere",
      found: { claim: claim(), volume: volume(inZone("b")) },
      want: 'MountVolume.NodeAffinity check failed for volume "pv-1" : no matching NodeSelectorTerms',
    },
  ])("$name", async ({ found, want }) => {
    const pod = podOf({ containers: [{ volumeMounts: [{ name: "v", mountPath: "/m" }] }] });
    await expect(claimedVolume(pod, persistent, "data", sources(found))).rejects.toMatchObject({
      message: want,
      volume: "v",
    });
  });

  test("a device is for who asks for a device, and nobody else", async () => {
    const device = podOf({ containers: [{ volumeDevices: [{ name: "v", devicePath: "/dev/x" }] }] });
    const block = sources({ claim: claim(), volume: volume({ volumeMode: "Block" }) });
    expect((await claimedVolume(device, persistent, "data", block)).resolved.isBlock).toBe(true);
    const folder = sources({ claim: claim(), volume: volume() });
    const want = "volume v has volumeMode Filesystem, but is specified in volumeDevices";
    await expect(claimedVolume(device, persistent, "data", folder)).rejects.toThrow(want);
  });

  test("a volume that is bound", async () => {
    const metadata = { annotations: { "pv.beta.kubernetes.io/gid": "1234" } };
    const found = { claim: claim(), volume: volume({ ...inZone("a"), mountOptions: ["noatime"] }, metadata) };
    expect(await claimedVolume(podOf({}), persistent, "data", sources(found))).toEqual({
      resolved: {
        name: "v",
        specName: "pv-1",
        source: { hostPath: { path: "/srv" } },
        readOnly: true,
        mountOptions: ["noatime"],
      },
      group: 1234,
    });
  });

  test("an ephemeral volume's claim is its pod's own", async () => {
    expect(claimNameOf(podOf({}), ephemeral)).toBe("web-v");
    expect(claimNameOf(podOf({}), persistent)).toBe("data");
    expect(claimNameOf(podOf({}), { name: "v" } as Volume)).toBeUndefined();
    const foreign = claimedVolume(podOf({}), ephemeral, "web-v", sources({ claim: claim(), volume: volume() }));
    await expect(foreign).rejects.toThrow("PVC shop/web-v was not created for pod shop/web (pod is not owner)");
    const ownerReferences = [{ uid: "u-1", controller: true }];
    const own = { claim: claim({}, { ownerReferences }), volume: volume() };
    expect((await claimedVolume(podOf({}), ephemeral, "web-v", sources(own))).resolved.specName).toBe("pv-1");
  });
});

describe("tokens", () => {
  const HOUR = 3_600_000;
  const setUp = (lifeMs = HOUR) => {
    const clock = new ManualClock(1_000_000);
    let made = 0;
    const broken = { is: false };
    const source = {
      token: async () => {
        if (broken.is) throw new Error("no server");
        const nowMs = clock.now();
        return { token: `t${++made}`, refreshAtMs: nowMs + lifeMs * 0.8, expiresAtMs: nowMs + lifeMs };
      },
    };
    const random = { float: () => 0.5 } as never;
    const tokens = new ServiceAccountTokens(source, { clock, random });
    return { clock, broken, tokens, get: () => tokens.get(podOf({}), "aud", 3600) };
  };

  test("one is made anew when four fifths of its time are over, and a little earlier", async () => {
    const { clock, get } = setUp();
    expect(await get()).toBe("t1");
    clock.advance(HOUR * 0.8 - 5001);
    expect(await get()).toBe("t1");
    clock.advance(1);
    expect(await get()).toBe("t2");
  });

  test("one for a year is made anew after a day", async () => {
    const { clock, get } = setUp(365 * 24 * HOUR);
    await get();
    clock.advance(24 * HOUR);
    expect(await get()).toBe("t2");
  });

  test("without a server the old one does until it ends", async () => {
    const { clock, get, broken } = setUp();
    await get();
    broken.is = true;
    clock.advance(HOUR);
    expect(await get()).toBe("t1");
    clock.advance(1);
    await expect(get()).rejects.toThrow("token expired and refresh failed: no server");
  });

  test("each audience has its own, and a pod that is gone has none", async () => {
    const { tokens, get, broken } = setUp();
    await get();
    expect(await tokens.get(podOf({}), "other", 3600)).toBe("t2");
    tokens.forget("u-1");
    broken.is = true;
    await expect(get()).rejects.toThrow("failed to fetch token: no server");
  });
});
