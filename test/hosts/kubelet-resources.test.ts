import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { realHostFiles } from "#base/host-files.ts";
import { silentLogger } from "#component-base/logging.ts";
import { LogRotation } from "#kubelet/logs/log-rotation.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { hasKubectl, Kubectl } from "../support/kubectl.ts";
import { cgroupRoots } from "../support/namespaces.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { RealNode } from "../support/real-node.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 60_000, interval: 200 };
const TEST_MS = 120_000;
const PODS = "/api/v1/namespaces/default/pods";
const versions = containerdVersions.slice(-1);

saySkipped(versions.length > 0, `what pods of a real kubelet may use: ${CONTAINERD_REASON}`);

describe.each(versions)("what pods may use, on $name", (version) => {
  let node: RealNode;
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    node = await RealNode.start({ version });
    cluster = await startCluster({ nodes: 0, network: node.network });
    ask = asker(cluster);
    await node.register(cluster.client);
    await node.launch(cluster);
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await vi.waitFor(async () => expect((await ask("GET", account)).status).toBe(200), SOON);
  }, TEST_MS);
  afterAll(async () => {
    await cluster?.stop();
    // Fails when something of a pod is left on the machine.
    await node?.[Symbol.asyncDispose]();
  }, TEST_MS);

  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const phaseOf = (name: string, phase: string) =>
    vi.waitFor(async () => expect((await podOf(name)).status?.phase).toBe(phase), SOON);
  const gone = (name: string) => vi.waitFor(async () => expect((await ask("GET", `${PODS}/${name}`)).status).toBe(404), SOON);
  const create = async (name: string, container: object, spec: object = {}): Promise<void> => {
    const all = { automountServiceAccountToken: false, nodeName: node.nodeName, terminationGracePeriodSeconds: 0 };
    const containers = [{ name: "app", image: node.image, ...container }];
    const made = await ask("POST", PODS, { metadata: { name }, spec: { ...all, containers, ...spec } });
    expect(made.status, made.text).toBe(201);
  };
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const { items } = (await ask("GET", "/api/v1/namespaces/default/events")).body;
    const own = items.filter((event: Any) => event.involvedObject.name === name);
    return own.map((event: Any) => `${event.type} ${event.reason} ${event.message}`);
  };
  /** The folders of a cgroup below the test's own, one for each controller. */
  const cgroup = (path: string): readonly string[] =>
    cgroupRoots()
      .map((root) => join(root, node.containerd.cgroupParent, "kubepods", path))
      .filter((folder) => existsSync(folder));
  const setting = (path: string, v1: string, v2: string): string => {
    const file = cgroup(path)
      .flatMap((folder) => [join(folder, v1), join(folder, v2)])
      .find((one) => existsSync(one));
    return file === undefined ? "not there" : readFileSync(file, "utf8").trim();
  };

  test(
    "limits are in the cgroups of containers and pods, below that of the pod's class, and go with it",
    async () => {
      const resources = { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "500m", memory: "64Mi" } };
      await create("limited", { resources });
      await create("unlimited", {});
      await phaseOf("limited", "Running");
      await phaseOf("unlimited", "Running");
      const { metadata, status } = await podOf("limited");
      const pod = `burstable/pod${metadata.uid}`;
      const id = status.containerStatuses[0].containerID.replace("containerd://", "");
      const memory = 64 * 1024 ** 2;
      for (const path of [pod, `${pod}/${id}`]) {
        expect(setting(path, "memory.limit_in_bytes", "memory.max")).toBe(String(memory));
        expect(setting(path, "cpu.cfs_quota_us", "cpu.max")).toMatch(/^50000( 100000)?$/);
        expect(setting(path, "cpu.shares", "cpu.weight")).toMatch(/^(102|4)$/);
      }
      expect(setting("burstable", "cpu.shares", "cpu.weight")).toMatch(/^(102|4)$/);
      const other = `besteffort/pod${(await podOf("unlimited")).metadata.uid}`;
      expect(setting(other, "cpu.shares", "cpu.weight")).toMatch(/^[12]$/);
      for (const name of ["limited", "unlimited"]) {
        await ask("DELETE", `${PODS}/${name}`);
        await gone(name);
      }
      await vi.waitFor(() => expect([...cgroup(pod), ...cgroup(other)]).toEqual([]), SOON);
    },
    TEST_MS,
  );

  test(
    "a pod that is given less while it runs has less in both cgroups, and then more",
    async () => {
      const sized = (cpu: string, memory: string): object => ({
        limits: { cpu, memory },
        requests: { cpu: "100m", memory: "16Mi" },
      });
      await create("resized", { resources: sized("500m", "64Mi") });
      await phaseOf("resized", "Running");
      const { metadata, status } = await podOf("resized");
      const pod = `burstable/pod${metadata.uid}`;
      const id = status.containerStatuses[0].containerID.replace("containerd://", "");
      for (const [cpu, memory, quota, bytes] of [
        ["200m", "48Mi", 20_000, 48 * 1024 ** 2],
        ["1", "96Mi", 100_000, 96 * 1024 ** 2],
      ] as const) {
        const spec = { containers: [{ name: "app", resources: sized(cpu, memory) }] };
        const type = { "content-type": "application/strategic-merge-patch+json" };
        const patched = await ask("PATCH", `${PODS}/resized/resize`, { spec }, type);
        expect(patched.status, patched.text).toBe(200);
        await vi.waitFor(() => {
          for (const path of [pod, `${pod}/${id}`]) {
            expect(setting(path, "cpu.cfs_quota_us", "cpu.max").split(" ")[0]).toBe(String(quota));
            expect(setting(path, "memory.limit_in_bytes", "memory.max")).toBe(String(bytes));
          }
        }, SOON);
      }
      expect((await podOf("resized")).status.containerStatuses[0]).toMatchObject({ restartCount: 0 });
      await ask("DELETE", `${PODS}/resized`);
      await gone("resized");
    },
    TEST_MS,
  );

  test(
    "what a pod was given stands after a restart, whatever the API says, and what changed meanwhile is decided then",
    async () => {
      const sized = (cpu: string): object => ({ requests: { cpu, memory: "16Mi" } });
      const resize = async (cpu: string): Promise<void> => {
        const spec = { containers: [{ name: "app", resources: sized(cpu) }] };
        const type = { "content-type": "application/strategic-merge-patch+json" };
        const patched = await ask("PATCH", `${PODS}/kept/resize`, { spec }, type);
        expect(patched.status, patched.text).toBe(200);
      };
      const conditions = async (): Promise<Any[]> =>
        ((await podOf("kept")).status.conditions as Any[]).filter(({ type }) => type.startsWith("PodResize"));
      const allocated = async (): Promise<Any> => (await podOf("kept")).status.containerStatuses?.[0].allocatedResources;
      // A pod with no grace is gone from the API before the node has back what it held.
      await vi.waitFor(async () => expect(await node.containerd.runtime.listPodSandbox()).toEqual([]), SOON);
      await create("large", { resources: sized("7") });
      await create("kept", { resources: sized("100m") });
      for (const name of ["large", "kept"]) await phaseOf(name, "Running");
      await resize("2");
      const refused = { type: "PodResizePending", status: "True", reason: "Deferred", observedGeneration: 2 };
      await vi.waitFor(async () => expect(await conditions()).toMatchObject([refused]), SOON);
      const before = await conditions();

      await node.end();
      const forget = { status: { containerStatuses: null } };
      const forgotten = await ask("PATCH", `${PODS}/kept/status`, forget, { "content-type": "application/merge-patch+json" });
      expect(forgotten.status, forgotten.text).toBe(200);
      await node.launch(cluster);
      await vi.waitFor(async () => expect(await allocated()).toEqual({ cpu: "100m", memory: "16Mi" }), SOON);
      expect(await conditions()).toEqual(before);

      await node.end();
      await resize("200m");
      await node.launch(cluster);
      await vi.waitFor(
        async () => expect([await allocated(), await conditions()]).toEqual([{ cpu: "200m", memory: "16Mi" }, []]),
        SOON,
      );
      const { metadata, status } = await podOf("kept");
      expect(status.containerStatuses[0]).toMatchObject({ restartCount: 0, resources: sized("200m") });
      expect(setting(`burstable/pod${metadata.uid}`, "cpu.shares", "cpu.weight")).toMatch(/^(204|8)$/);

      await node.end();
      const state = join(node.folder, "actuated_pods_state");
      const whole = readFileSync(state, "utf8");
      writeFileSync(state, whole.replace("200m", "300m"));
      await expect(node.launch(cluster)).rejects.toThrow(
        `could not restore state from checkpoint: checkpoint is corrupted, please drain this node and delete pod resource information checkpoint file "${state}" before restarting Kubelet`,
      );
      rmSync(state);
      await node.launch(cluster);
      expect((await eventsOf("kept")).filter((event) => event.includes("ResizeDeferred"))).toHaveLength(1);
      for (const name of ["large", "kept"]) await ask("DELETE", `${PODS}/${name}`);
      for (const name of ["large", "kept"]) await gone(name);
      await vi.waitFor(async () => expect(await node.containerd.runtime.listPodSandbox()).toEqual([]), SOON);
    },
    TEST_MS,
  );

  test(
    "an image that only some may have is pulled with the pod's secret, and not without",
    async () => {
      const { host } = node.registry;
      const image = node.registry.add("private", "1", busyboxImage({ Cmd: ["sleep", "2147483647"] }), "jane:secret");
      await create("stranger", { image });
      await vi.waitFor(async () => {
        const { waiting } = (await podOf("stranger")).status.containerStatuses[0].state;
        expect(waiting.reason).toBe("ImagePullBackOff");
        expect(waiting.message).toMatch(new RegExp(`^Back-off pulling image "${image}": ErrImagePull: `));
      }, SOON);
      await vi.waitFor(async () => {
        const events = await eventsOf("stranger");
        expect(events).toContain(`Normal Pulling Pulling image "${image}"`);
        expect(events).toContain(`Normal BackOff Back-off pulling image "${image}"`);
        expect(events).toContain("Warning Failed Error: ErrImagePull");
      }, SOON);
      const auths = { [host]: { auth: Buffer.from("jane:secret").toString("base64") } };
      const secret = {
        metadata: { name: "login" },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": JSON.stringify({ auths }) },
      };
      expect((await ask("POST", "/api/v1/namespaces/default/secrets", secret)).status).toBe(201);
      await create("friend", { image }, { imagePullSecrets: [{ name: "login" }] });
      await phaseOf("friend", "Running");
      await vi.waitFor(async () => {
        const pulled = (await eventsOf("friend")).find((event) => event.startsWith("Normal Pulled"));
        expect(pulled).toMatch(
          /^Normal Pulled Successfully pulled image ".*" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\.$/,
        );
      }, SOON);
      await create("never", { image: `${host}/none:1`, imagePullPolicy: "Never" });
      await vi.waitFor(async () => {
        const { waiting } = (await podOf("never")).status.containerStatuses[0].state;
        expect(waiting.reason).toBe("ErrImageNeverPull");
      }, SOON);
      for (const name of ["stranger", "friend", "never"]) {
        await ask("DELETE", `${PODS}/${name}`);
        await gone(name);
      }
    },
    TEST_MS,
  );

  test.skipIf(!hasKubectl)(
    "who follows a log misses nothing while it is put aside",
    async () => {
      const count = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.05; done";
      await create("talker", { command: ["sh", "-c", count] });
      await phaseOf("talker", "Running");
      const { metadata } = await podOf("talker");
      const folder = join(node.logs, `default_talker_${metadata.uid}`, "app");
      const { runtime } = node.containerd;
      const limits = { maxBytes: 200, maxFiles: 3, workers: 1 };
      const rotation = new LogRotation({ runtime, files: realHostFiles, ...limits, clock: realClock, logger: silentLogger });
      using kubectl = new Kubectl(cluster.kubeconfig);
      using follower = kubectl.start(["logs", "-f", "talker"]);
      // What is put aside before kubectl has come is nothing that it is to see.
      await vi.waitFor(() => expect(follower.output).toContain("line 1\n"), SOON);
      for (let times = 1; times <= 3; times++) {
        await vi.waitFor(() => expect(readFileSync(join(folder, "0.log")).length).toBeGreaterThan(400), SOON);
        await rotation.rotateAll();
        // Names of files that were put aside are exact to the second.
        await realClock.sleep(1100);
      }
      expect(readdirSync(folder).sort()).toEqual([
        "0.log",
        expect.stringMatching(/^0\.log\.\d{8}-\d{6}(\.gz)?$/),
        expect.stringMatching(/^0\.log\.\d{8}-\d{6}$/),
      ]);
      await ask("DELETE", `${PODS}/talker`);
      const lines = (await follower.ended).trim().split("\n");
      expect(lines.length).toBeGreaterThan(30);
      expect(lines).toEqual(lines.map((_, at) => `line ${at + 1}`));
      await gone("talker");
    },
    TEST_MS,
  );
});
