import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { realProcessRunner } from "#base/process-runner.ts";
import { parseFlags } from "#component-base/flags.ts";
import { silentLogger } from "#component-base/logging.ts";
import { CommandMounter } from "#kubelet/volumes/mounter.ts";
import { givenFlags } from "../../src/cmd/flags/flag-specs.ts";
import { type KubeletFlags, kubeletFlags } from "../../src/cmd/kubelet/flags.ts";
import { type RunningKubelet, startKubelet } from "../../src/cmd/kubelet/start.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, Containerd, containerdVersions } from "../support/containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { cgroupRoots } from "../support/namespaces.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { freePorts } from "../support/ports.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 60_000, interval: 200 };
const TEST_MS = 150_000;
const PODS = "/api/v1/namespaces/default/pods";
const [version] = containerdVersions.slice(-1);

describe.skipIf(version === undefined)(`a node that runs short (${CONTAINERD_REASON})`, () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-short-"));
  const registry = new ImageRegistry();
  let containerd: Containerd;
  let image: string;
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let kubelet: RunningKubelet | undefined;

  beforeAll(async () => {
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sleep", "2147483647"] }));
    if (version !== undefined) containerd = await Containerd.start(version, pause);
    for (const root of cgroupRoots()) mkdirSync(join(root, containerd.cgroupParent), { recursive: true });
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
    writeFileSync(join(dir, "kubeconfig"), cluster.kubeconfig);
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await vi.waitFor(async () => expect((await ask("GET", account)).status).toBe(200), SOON);
  }, TEST_MS);
  afterAll(async () => {
    await kubelet?.close();
    await cluster?.stop();
    await containerd?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    const mounter = new CommandMounter({ files: realHostFiles, runner: realProcessRunner });
    const mounts = (await mounter.list()).map(({ path }) => path).filter((path) => path.startsWith(dir));
    for (const path of mounts.reverse()) await mounter.unmount(path);
    rmSync(dir, { recursive: true, force: true });
  }, TEST_MS);

  const launch = async (...more: string[]): Promise<void> => {
    await kubelet?.close();
    const [port, healthzPort] = await freePorts(2);
    const args = [
      `--kubeconfig=${join(dir, "kubeconfig")}`,
      `--container-runtime-endpoint=unix://${containerd.socketPath}`,
      `--cgroup-root=${containerd.cgroupParent}`,
      `--root-dir=${join(dir, "root")}`,
      `--cert-dir=${join(dir, "pki")}`,
      `--port=${port}`,
      `--healthz-port=${healthzPort}`,
      "--hostname-override=short",
      "--fail-swap-on=false",
      "--node-status-update-frequency=1s",
      ...more,
    ];
    const flags = parseFlags(kubeletFlags, args) as KubeletFlags & Readonly<Record<string, unknown>>;
    const given = givenFlags(args);
    const { signal } = new AbortController();
    kubelet = await startKubelet({ flags, given, isFormer: false, ownsProcess: false, logger: silentLogger, signal });
  };
  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const phaseOf = (name: string, phase: string) =>
    vi.waitFor(async () => expect((await podOf(name)).status?.phase).toBe(phase), SOON);
  const create = async (name: string, container: object, spec: object = {}): Promise<void> => {
    const all = { automountServiceAccountToken: false, nodeName: "short", terminationGracePeriodSeconds: 0 };
    const tolerations = [{ operator: "Exists" }];
    const containers = [{ name: "app", image, ...container }];
    const made = await ask("POST", PODS, { metadata: { name }, spec: { ...all, tolerations, containers, ...spec } });
    expect(made.status, made.text).toBe(201);
  };
  const conditionOf = async (type: string): Promise<string> => {
    const { status } = (await ask("GET", "/api/v1/nodes/short")).body;
    return status?.conditions?.find((one: Any) => one.type === type)?.status ?? "";
  };
  const condition = (type: string, status: string) => vi.waitFor(async () => expect(await conditionOf(type)).toBe(status), SOON);

  test(
    "what is over its own limit is evicted, and what is under a threshold that is never reached again too",
    async () => {
      await launch("--eviction-hard=memory.available<1Mi");
      await condition("Ready", "True");
      await condition("MemoryPressure", "False");
      const volumes = [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }];
      const command = ["sh", "-c", "dd if=/dev/zero of=/scratch/f bs=1M count=3; sleep 3600"];
      await create("writer", { command, volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] }, { volumes });
      await create("quiet", {});
      await phaseOf("quiet", "Running");
      await phaseOf("writer", "Failed");
      expect((await podOf("writer")).status).toMatchObject({
        reason: "Evicted",
        message: 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ',
      });
      expect((await podOf("quiet")).status.phase).toBe("Running");

      await launch("--eviction-hard=memory.available<1000Ti");
      await phaseOf("quiet", "Failed");
      const { status } = await podOf("quiet");
      expect(status.reason).toBe("Evicted");
      expect(status.message).toMatch(/^The node was low on resource: memory\. Threshold quantity: 1000Ti, available: \d+\w*i\. /);
      expect(status.conditions).toContainEqual(
        expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet" }),
      );
      await condition("MemoryPressure", "True");
      await vi.waitFor(async () => {
        const { spec } = (await ask("GET", "/api/v1/nodes/short")).body;
        expect(spec.taints).toContainEqual(
          expect.objectContaining({ key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" }),
        );
      }, SOON);
      await create("refused", {}, { tolerations: [] });
      await phaseOf("refused", "Failed");
      expect((await podOf("refused")).status).toMatchObject({
        reason: "Evicted",
        message: "Pod was rejected: The node had condition: [MemoryPressure]. ",
      });
      for (const name of ["writer", "quiet", "refused"]) await ask("DELETE", `${PODS}/${name}`);
      await vi.waitFor(async () => expect((await ask("GET", PODS)).body.items).toEqual([]), SOON);
    },
    TEST_MS,
  );
});
