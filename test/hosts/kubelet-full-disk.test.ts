import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ConfigMap, Pod } from "#api/generated/core/v1.ts";
import type { ResourceId } from "#client/client.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { FaultNode, NAMESPACE } from "../support/fault-node/fault-node.ts";
import { HostRelay } from "../support/fault-node/host-relay.ts";
import { BUSYBOX_IMAGE } from "../support/host-containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { isBuilt } from "../support/program.ts";
import { saySkipped } from "../support/say-skipped.ts";
import { hasTestHosts, TEST_HOST_REASON } from "../support/test-host.ts";

const SOON = { timeout: 90_000, interval: 250 };
const isThere = hasTestHosts && isBuilt && containerdVersions.length > 0;
const KUBELET_DISK = "/var/lib/kubelet";
const RUNTIME_DISK = "/var/lib/containerd";
/** Disks of their own, in memory, as small as does. */
const DISKS = `mkdir -p /var/tally ${KUBELET_DISK} ${RUNTIME_DISK}
mount -t tmpfs -o size=32m,mode=755 tmpfs ${KUBELET_DISK}
mount -t tmpfs -o size=64m,mode=755 tmpfs ${RUNTIME_DISK}`;
const REGISTRY_PORT = 5000;
const CONFIG_MAPS: ResourceId = { group: "", version: "v1", resource: "configmaps" };
const NO_SPACE = "no space left on device";
const STAYS = "trap 'exit 0' TERM; sleep 3600 & wait";
const WITHOUT_THRESHOLDS = ["--eviction-hard=memory.available<1Mi"];
const WITH_THRESHOLDS = ["--eviction-hard=nodefs.available<25%", "--eviction-pressure-transition-period=15s"];

const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
const isGone = (pod: Pod | undefined): boolean => pod === undefined;
const podOf = (name: string, container: object = {}, volumes: readonly object[] = []): { metadata: object; spec: object } => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 2,
    volumes,
    containers: [{ name: "app", image: BUSYBOX_IMAGE, command: ["sh", "-c", STAYS], ...container }],
  },
});
const TALLY_VOLUMES = [{ name: "tally", hostPath: { path: "/var/tally" } }];
const TALLY_MOUNTS = [{ name: "tally", mountPath: "/tally" }];
const CONFIG_VOLUME = [{ name: "config", configMap: { name: "config" } }];
const CONFIG_MOUNT = { volumeMounts: [{ name: "config", mountPath: "/config" }] };

saySkipped(isThere, `disks that are full: ${TEST_HOST_REASON}; ${CONTAINERD_REASON}; dist/`);

describe.runIf(isThere)("a node whose disks are full", () => {
  let node: FaultNode;
  let relay: HostRelay;
  const registry = new ImageRegistry();
  const [version = { name: "", bin: "" }] = containerdVersions.slice(-1);

  beforeAll(async () => {
    await registry.start();
    node = await FaultNode.start(version, { prepare: DISKS });
    relay = await HostRelay.start(node.host, REGISTRY_PORT, Number(registry.host.split(":")[1]));
    await putConfig("a".repeat(100_000), "create");
    node.launch(WITHOUT_THRESHOLDS);
    await node.condition("Ready", "True");
  }, 120_000);
  afterAll(async () => {
    await relay?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }, 120_000);

  const putConfig = async (key: string, how: "create" | "patch"): Promise<void> => {
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "config" }, data: { key } } as unknown as ConfigMap;
    if (how === "create") await node.client.create(CONFIG_MAPS, NAMESPACE, config);
    else await node.client.patch(CONFIG_MAPS, NAMESPACE, "config", "application/merge-patch+json", { data: { key } });
  };
  /** Leaves nothing free, whatever was left. */
  const fill = (disk: string): Promise<string> =>
    node.host.sh(`for size in 64k 4k; do dd if=/dev/zero bs=$size >>${disk}/filler 2>/dev/null || true; done; df ${disk}`);
  const empty = (disk: string): Promise<string> => node.host.run(["rm", "-f", `${disk}/filler`]);
  const told = (of: string, event: RegExp) =>
    vi.waitFor(async () => expect(await node.events(of)).toContainEqual(expect.stringMatching(event)), SOON);
  const seenIn = async (file: string): Promise<string> =>
    node.host.sh(`md5sum ${KUBELET_DISK}/pods/*/volumes/kubernetes.io~configmap/config/${file} | cut -c 1-32`);
  const remove = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) await node.delete(name);
    for (const name of names) await node.until(name, isGone);
  };

  test("volumes that there is no room for are told of and tried again, and what is there stays whole", async () => {
    await node.create(podOf("keeps", CONFIG_MOUNT, CONFIG_VOLUME));
    const before = await node.until("keeps", isReady);
    const whole = await seenIn("key");
    await fill(KUBELET_DISK);
    await node.create(podOf("waits", CONFIG_MOUNT, CONFIG_VOLUME));
    await told(
      "waits",
      new RegExp(`^FailedMount MountVolume\\.SetUp failed for volume "config" : \\w+ ${KUBELET_DISK}/pods/[^:]*: ${NO_SPACE}$`),
    );
    // Another version does not fit; a kubelet that starts anew finds the old one.
    await putConfig("b".repeat(200_000), "patch");
    await node.killKubelet();
    node.launch(WITHOUT_THRESHOLDS);
    await told("faulty", /^Starting /);
    await node.condition("Ready", "True");
    expect(await seenIn("key")).toBe(whole);
    expect((await node.pods()).get("keeps")?.status?.containerStatuses).toEqual(before?.status?.containerStatuses);
    await empty(KUBELET_DISK);
    await node.until("waits", isReady);
    await remove("keeps", "waits");
    expect(await node.host.run(["ls", `${KUBELET_DISK}/pods`])).toBe("");
  }, 240_000);

  test("images, sandboxes and containers that there is no room for are told of and tried again", async () => {
    const image = registry.add("app", "1", busyboxImage({ Cmd: ["sleep", "2147483647"], Env: ["OTHER=1"] }));
    const inside = `127.0.0.1:${REGISTRY_PORT}/${image.split("/")[1]}`;
    // Their second containers are made when the hooks of their first are done.
    const hook = { postStart: { exec: { command: ["sh", "-c", "until test -e /tally/go; do sleep 0.2; done"] } } };
    for (const [name, of] of [
      ["creates", BUSYBOX_IMAGE],
      ["pulls", inside],
    ] as const) {
      const { metadata, spec } = podOf(name, { lifecycle: hook, volumeMounts: TALLY_MOUNTS }, TALLY_VOLUMES);
      const second = { name: "second", image: of, command: ["sh", "-c", STAYS] };
      await node.create({ metadata, spec: { ...spec, containers: [...(spec as { containers: object[] }).containers, second] } });
    }
    await vi.waitFor(async () => expect(await node.runtime.listContainers({ state: "CONTAINER_RUNNING" })).toHaveLength(2), SOON);
    const waiting = async (name: string) =>
      (await node.pods()).get(name)?.status?.containerStatuses?.find((one) => one.name === "second")?.state?.waiting;
    await fill(RUNTIME_DISK);
    try {
      await node.create(podOf("begins"));
      await node.host.sh("touch /var/tally/go");
      const failed = `rpc error: code = \\w+ desc = .*${NO_SPACE}`;
      await told("begins", new RegExp(`^FailedCreatePodSandBox Failed to create pod sandbox: ${failed}`));
      await told("creates", new RegExp(`^Failed Error: .*${NO_SPACE}`));
      await vi.waitFor(async () => {
        expect(await waiting("creates")).toMatchObject({
          reason: "CreateContainerError",
          message: expect.stringContaining(NO_SPACE),
        });
      }, SOON);
      await told("pulls", new RegExp(`^Failed Failed to pull image "${inside}": .*${NO_SPACE}`));
      await vi.waitFor(async () => expect((await waiting("pulls"))?.reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/), SOON);
    } finally {
      await empty(RUNTIME_DISK);
    }
    for (const name of ["begins", "creates", "pulls"]) await node.until(name, isReady);
    await remove("begins", "creates", "pulls");
  }, 240_000);

  test("pods are evicted while a disk is short, others not taken on, and all is well afterwards", async () => {
    await node.kubelet.stop();
    node.launch(WITH_THRESHOLDS);
    await node.condition("DiskPressure", "False");
    await node.create(podOf("modest"));
    await node.until("modest", isReady);
    const greedy = { command: ["sh", "-c", "dd if=/dev/zero of=/scratch/f bs=1M count=26; sleep 3600"] };
    const mounts = { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] };
    await node.create(podOf("greedy", { ...greedy, ...mounts }, [{ name: "scratch", emptyDir: {} }]));
    await node.condition("DiskPressure", "True");
    await node.create(podOf("refused"));
    const refused = await node.until("refused", (pod) => pod?.status?.phase === "Failed");
    expect(refused?.status).toMatchObject({
      reason: "Evicted",
      message: "Pod was rejected: The node had condition: [DiskPressure]. ",
    });
    await told("faulty", /^EvictionThresholdMet Attempting to reclaim ephemeral-storage$/);
    const evicted = await node.until("greedy", (pod) => pod?.status?.phase === "Failed");
    expect(evicted?.status?.reason).toBe("Evicted");
    expect(evicted?.status?.message).toMatch(
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: \S+, available: \S+\. Container app was using \S+, request is 0, has larger consumption of ephemeral-storage\. $/,
    );
    await node.condition("DiskPressure", "False");
    expect(isReady((await node.pods()).get("modest"))).toBe(true);
    await node.create(podOf("next"));
    await node.until("next", isReady);
    await remove("modest", "greedy", "refused", "next");
  }, 240_000);
});
