import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Lease } from "#api/generated/coordination/v1.ts";
import type { Event, Node, Pod } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createRestClient } from "#client/rest-client.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { issueCertificate } from "#pki/certificate.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { renderKubeconfig } from "#pki/kubeconfig.ts";
import type { KVStore } from "#storage/kv.ts";
import { CONTAINERD_REASON, Containerd, containerdVersions } from "../support/containerd.ts";
import { ImageRegistry } from "../support/image-registry.ts";
import { eventually } from "../support/kubectl.ts";
import { KubeletProgram } from "../support/kubelet-program.ts";
import { busyboxImage } from "../support/oci-image.ts";
import { isBuilt } from "../support/program.ts";
import { openTestStore } from "../support/store.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
const CSI_NODES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "csinodes" };
const RANGE = "10.96.0.0/12";
const [version] = containerdVersions;

describe.skipIf(version === undefined || !isBuilt)(`kybern kubelet on containerd (${CONTAINERD_REASON}, and dist/)`, () => {
  const registry = new ImageRegistry();
  let containerd: Containerd;
  let image: string;
  let kv: KVStore;
  let assets: ClusterAssets;
  let plane: ControlPlane;
  let client: Client & { close(): void };
  let kubelet: KubeletProgram;

  beforeAll(async () => {
    await registry.start();
    const pause = registry.add("pause", "1", busyboxImage({ Entrypoint: ["sleep", "2147483647"] }));
    image = registry.add("busybox", "1", busyboxImage({ Cmd: ["sleep", "2147483647"] }));
    if (version !== undefined) containerd = await Containerd.start(version, pause);
    await containerd.images.pullImage({ image });
    kv = await openTestStore();
    assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
    plane = await startControlPlane({
      kv,
      clock: realClock,
      random: systemRandom,
      logger: silentLogger,
      assets,
      bindAddress: "127.0.0.1",
      port: 0,
      serviceClusterIpRange: RANGE,
      nodes: 0,
      components: ["kube-controller-manager"],
      authentication: { enableBootstrapTokenAuth: true },
    });
    const { cert, key } = assets.admin;
    const server = plane.apiServer.url;
    client = createRestClient({ server, ca: assets.ca.cert, cert, key, userAgent: "test", clock: realClock });
  }, 120_000);
  afterEach(async () => {
    for (const { metadata } of (await client.list<Pod>(core("pods"), "default")).items) {
      await client.delete(core("pods"), "default", metadata.name ?? "", { gracePeriodSeconds: 0 });
    }
    await kubelet?.[Symbol.asyncDispose]();
    for (const { id } of await containerd.runtime.listPodSandbox()) {
      await containerd.runtime.stopPodSandbox(id);
      await containerd.runtime.removePodSandbox(id);
    }
    for (const { metadata } of (await client.list<Node>(core("nodes"), "")).items) {
      await client.delete(core("nodes"), "", metadata.name ?? "");
    }
  });
  afterAll(async () => {
    client?.close();
    await plane?.stop();
    await kv?.close();
    await containerd?.[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }, 60_000);

  const identity = (commonName: string, ...organizations: string[]): CertificatePair =>
    issueCertificate(assets.ca, { commonName, organizations, usages: ["client"] }, realClock.now());
  const kubeconfigOf = (node: string): string => {
    const user = `system:node:${node}`;
    const pair = identity(user, "system:nodes");
    return kubelet.write("kubeconfig", renderKubeconfig({ server: plane.apiServer.url, user, ca: assets.ca.cert, ...pair }));
  };
  const nodeFlags = (node: string): string[] => [
    `--kubeconfig=${kubeconfigOf(node)}`,
    `--hostname-override=${node}`,
    `--client-ca-file=${kubelet.write("ca.pem", assets.ca.cert)}`,
  ];
  const node = (name: string): Promise<Node> => client.get<Node>(core("nodes"), "", name);
  const condition = async (name: string, type: string): Promise<string> =>
    (await node(name)).status?.conditions?.find((one) => one.type === type)?.status ?? "";
  const isReady = (name: string): Promise<unknown> =>
    eventually(async () => (await condition(name, "Ready").catch(() => "")) === "True", 20_000, `${name} is ready`);

  test("a machine becomes a node: what it has, is called and says of itself, with a fresh Lease", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    const flags = ["--node-labels=disk=ssd", "--register-with-taints=team=a:NoSchedule", "--kube-reserved=cpu=100m", "--v=4"];
    await kubelet.start([...nodeFlags("n1"), "--node-status-update-frequency=1s", ...flags]);
    await isReady("n1");
    const { metadata, spec, status } = await node("n1");
    expect(metadata.labels).toMatchObject({
      "kubernetes.io/hostname": "n1",
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      disk: "ssd",
    });
    expect(spec?.taints).toContainEqual({ key: "team", value: "a", effect: "NoSchedule" });
    expect(Object.keys(status?.capacity ?? {}).sort()).toEqual(
      expect.arrayContaining(["cpu", "ephemeral-storage", "memory", "pods"]),
    );
    expect(Number(status?.capacity?.cpu)).toBeGreaterThan(0);
    expect(status?.allocatable?.cpu).toBe(`${Number(status?.capacity?.cpu) * 1000 - 100}m`);
    expect(status?.nodeInfo).toMatchObject({
      kubeletVersion: "v1.36.2",
      operatingSystem: "linux",
      architecture: "amd64",
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/v?\d+\.\d+/),
      bootID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kernelVersion: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(status?.addresses?.map(({ type }) => type)).toEqual(["InternalIP", "Hostname"]);
    expect(status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(kubelet.port);
    expect(status?.images?.flatMap(({ names = [] }) => names)).toContain(image);
    expect(status?.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`).sort()).toEqual([
      "DiskPressure False KubeletHasNoDiskPressure",
      "MemoryPressure False KubeletHasSufficientMemory",
      "PIDPressure False KubeletHasSufficientPID",
      "Ready True KubeletReady",
    ]);
    const lease = async (): Promise<Lease> => client.get<Lease>(LEASES, "kube-node-lease", "n1");
    const first = await eventually(lease);
    expect(first.spec).toMatchObject({ holderIdentity: "n1", leaseDurationSeconds: 40 });
    expect(first.metadata.ownerReferences?.[0]).toMatchObject({ kind: "Node", name: "n1", uid: metadata.uid });
    expect(await client.get(CSI_NODES, "", "n1")).toMatchObject({
      metadata: {
        annotations: { "storage.alpha.kubernetes.io/migrated-plugins": expect.stringContaining("kubernetes.io/aws-ebs,") },
        ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n1", uid: metadata.uid }],
      },
      // As of an empty list that was stored.
      spec: { drivers: null },
    });
    const told = async (): Promise<readonly string[]> =>
      (await client.list<Event>(core("events"), "default")).items
        .filter(({ involvedObject }) => involvedObject.kind === "Node" && involvedObject.name === "n1")
        .map(({ reason = "" }) => reason);
    await eventually(async () => (await told()).includes("NodeReady"), 10_000, "events");
    expect(await told()).toEqual(expect.arrayContaining(["Starting", "NodeHasSufficientMemory", "NodeReady"]));
  }, 60_000);

  test("a node that takes no pods says so, and one that somebody else registers waits for that", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    await kubelet.start([...nodeFlags("n2"), "--register-schedulable=false"]);
    await isReady("n2");
    const { spec } = await node("n2");
    expect(spec?.unschedulable).toBe(true);
    expect(spec?.taints).toContainEqual(
      expect.objectContaining({ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }),
    );
    await kubelet[Symbol.asyncDispose]();

    kubelet = await KubeletProgram.prepare(containerd);
    await kubelet.start([...nodeFlags("n3"), "--register-node=false", "--node-status-update-frequency=500ms"]);
    await expect(node("n3")).rejects.toThrow("not found");
    await client.create<Node>(core("nodes"), "", { apiVersion: "v1", kind: "Node", metadata: { name: "n3" } } as Node);
    await isReady("n3");
  }, 60_000);

  test("each port lets in whom it should, and answers what it should", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    await kubelet.start([...nodeFlags("n4"), `--read-only-port=${kubelet.readOnlyPort}`, "--address=127.0.0.1"]);
    await isReady("n4");
    const { plain, secure } = { plain: kubelet.plain.bind(kubelet), secure: kubelet.secure.bind(kubelet) };
    expect(await secure("/pods")).toMatchObject({ status: 401, body: "Unauthorized" });
    expect(await secure("/pods", { token: "wrong" })).toMatchObject({ status: 401 });
    const { cert, key } = identity("eve");
    expect(await secure("/pods", { cert, key })).toMatchObject({
      status: 403,
      body: "Forbidden (user=eve, verb=get, resource=nodes, subresource(s)=[pods proxy])\n",
    });
    const admin = { cert: assets.admin.cert, key: assets.admin.key };
    expect(await secure("/healthz", admin)).toMatchObject({ status: 200, body: "ok" });
    expect(JSON.parse((await secure("/pods", admin)).body)).toEqual({
      kind: "PodList",
      apiVersion: "v1",
      metadata: {},
      items: [],
    });
    const { kubeletconfig } = JSON.parse((await secure("/configz", admin)).body);
    expect(kubeletconfig).toMatchObject({ port: kubelet.port, readOnlyPort: kubelet.readOnlyPort, maxPods: 110 });
    expect(await secure("/run/default/x/y", { ...admin, method: "POST" })).toMatchObject({ status: 404 });
    for (const path of ["/healthz", "/pods", "/metrics", "/metrics/resource", "/metrics/cadvisor", "/stats/summary"]) {
      expect((await plain(kubelet.readOnlyPort, path)).status).toBe(200);
    }
    expect((await secure("/metrics/slis", admin)).body).toMatch(/^kubernetes_healthcheck{name="syncloop",type="healthz"} 1$/m);
    for (const path of ["/exec/default/x/y", "/run/default/x/y", "/containerLogs/default/x/y", "/logs/"]) {
      expect(await plain(kubelet.readOnlyPort, path, "POST")).toMatchObject({
        status: 405,
        body: "Debug endpoints are disabled.\n",
      });
    }
    expect((await plain(kubelet.readOnlyPort, "/configz")).status).toBe(404);
    // The machine's own logs, and nothing beyond: no path and no link leads out of their folder.
    const listed = await secure("/logs/", admin);
    expect([listed.status, listed.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    for (const name of readdirSync("/var/log").slice(0, 3)) expect(listed.body).toContain(name);
    const link = `/var/log/kybern-test-${process.pid}`;
    symlinkSync("/etc", link);
    try {
      for (const path of ["/logs/..%2f..%2fetc/hostname", `/logs/kybern-test-${process.pid}/hostname`, "/logs/nowhere"]) {
        expect(await secure(path, admin)).toMatchObject({ status: 404 });
      }
    } finally {
      unlinkSync(link);
    }
    expect(await plain(kubelet.healthzPort, "/healthz")).toMatchObject({ status: 200, body: "ok" });
    expect((await plain(kubelet.healthzPort, "/pods")).status).toBe(404);
    // What it made for itself is for it alone.
    expect(readdirSync(kubelet.pki).sort()).toEqual(["kubelet.crt", "kubelet.key"]);
    expect(statSync(join(kubelet.pki, "kubelet.key")).mode & 0o777).toBe(0o600);
  }, 60_000);

  test("a file, its drop-ins and flags, of which the later win", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    const file = (name: string, fields: object): string =>
      kubelet.write(
        name,
        JSON.stringify({ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...fields }),
      );
    const config = file("config.json", {
      maxPods: 10,
      podsPerCore: 5,
      clusterDNS: ["10.96.0.10"],
      evictionHard: { "memory.available": "50Mi" },
      authentication: { x509: { clientCAFile: "ca.pem" } },
    });
    mkdirSync(kubelet.path("conf.d"));
    file("conf.d/20-second.conf", { podsPerCore: 7, evictionHard: { "nodefs.available": "1%" } });
    file("conf.d/10-first.conf", { podsPerCore: 6, maxPods: 11 });
    file("conf.d/ignored.json", { podsPerCore: 8 });
    const flags = [`--config=${config}`, `--config-dir=${kubelet.path("conf.d")}`, "--max-pods=12"];
    await kubelet.start([...nodeFlags("n5"), ...flags]);
    const answer = await kubelet.secure("/configz", { cert: assets.admin.cert, key: assets.admin.key });
    expect(JSON.parse(answer.body).kubeletconfig).toMatchObject({
      maxPods: 12,
      podsPerCore: 7,
      clusterDNS: ["10.96.0.10"],
      evictionHard: { "memory.available": "50Mi", "nodefs.available": "1%" },
      syncFrequency: "1m0s",
    });
  }, 60_000);

  test.each([
    ["an unknown field", { maxPod: 3 }, 'strict decoding error: unknown field "maxPod"'],
    [
      "what makes no sense",
      { port: 99_999 },
      "invalid configuration: port (--port) 99999 must be between 1 and 65535, inclusive",
    ],
  ])("%s ends the start", async (_, fields, message) => {
    kubelet = await KubeletProgram.prepare(containerd);
    const text = JSON.stringify({ apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...fields });
    const config = kubelet.write("config.yaml", text);
    // The flag for the port would win.
    await expect(kubelet.start([`--config=${config}`, "--port=99999"])).rejects.toThrow(message);
  });

  test("pods of the API and of manifests run, and go on without the kubelet", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    const flags = [...nodeFlags("n6"), `--config=${kubelet.manifests}`, `--read-only-port=${kubelet.readOnlyPort}`];
    await kubelet.start(flags);
    await isReady("n6");
    const spec = { containers: [{ name: "main", image }], terminationGracePeriodSeconds: 0 };
    const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "static" }, spec };
    writeFileSync(join(kubelet.manifests, "static.yaml"), JSON.stringify(manifest));
    await client.create<Pod>(core("pods"), "default", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "default" },
      spec: { ...spec, nodeName: "n6", automountServiceAccountToken: false },
    } as unknown as Pod);
    const pod = (name: string): Promise<Pod> => client.get<Pod>(core("pods"), "default", name);
    const runs = (name: string): Promise<unknown> =>
      eventually(async () => (await pod(name).catch(() => undefined))?.status?.phase === "Running", 20_000, `${name} runs`);
    await Promise.all([runs("web"), runs("static-n6")]);
    const listed = JSON.parse((await kubelet.plain(kubelet.readOnlyPort, "/pods")).body);
    expect(listed.items.map(({ metadata }: Pod) => metadata.name).sort()).toEqual(["static-n6", "web"]);
    const page = async (path: string): Promise<string> => (await kubelet.plain(kubelet.readOnlyPort, path)).body;
    const { node: machine, pods } = JSON.parse(await page("/stats/summary"));
    expect(machine.cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
    expect(machine.memory.workingSetBytes + machine.memory.availableBytes).toBe(totalmem());
    for (const disk of [machine.fs, machine.runtime.imageFs]) expect(disk.capacityBytes).toBeGreaterThan(disk.usedBytes);
    const web = pods.find(({ podRef }: { podRef: { name: string } }) => podRef.name === "web");
    expect(web.containers[0]).toMatchObject({
      name: "main",
      cpu: { usageCoreNanoSeconds: expect.any(Number) },
      memory: { workingSetBytes: expect.any(Number) },
    });
    expect(web.containers[0].memory.workingSetBytes).toBeGreaterThan(0);
    expect(await page("/metrics/resource")).toMatch(
      /^container_memory_working_set_bytes{container="main",namespace="default",pod="web"} [1-9]/m,
    );
    expect(await page("/metrics/cadvisor")).toMatch(
      /^container_memory_rss{container="",id="\/",image="",name="",namespace="",pod=""} [1-9]/m,
    );
    const containers = await page("/metrics/cadvisor");
    for (const name of [
      "memory_working_set_bytes",
      "cpu_usage_seconds_total",
      "processes",
      "spec_cpu_shares",
      "start_time_seconds",
    ]) {
      const labels = `container="main",(cpu="total",)?id="/[^"]+",image="[^"]*busybox:1",name="[0-9a-f]{64}",namespace="default",pod="web"`;
      expect(containers).toMatch(new RegExp(`^container_${name}{${labels}} [0-9.]*[1-9]`, "m"));
    }
    expect(containers).toMatch(/^machine_cpu_cores{boot_id="[^"]+".* [1-9]/m);
    expect(await page("/metrics")).toMatch(/^kubelet_pod_start_duration_seconds_count 2$/m);
    expect(await page("/metrics")).toMatch(/^kubelet_pod_start_sli_duration_seconds_count [1-9]/m);
    expect(await page("/metrics")).toMatch(/^kubelet_pod_worker_duration_seconds_count{operation_type="create"} 2$/m);
    expect(await page("/metrics")).toMatch(/^kubelet_cgroup_manager_duration_seconds_count{operation_type="create"} [1-9]/m);
    expect(await page("/metrics")).toMatch(/^kubelet_running_pods 2$[\s\S]*^process_resident_memory_bytes [1-9]/m);
    const before = (await pod("web")).status?.containerStatuses?.[0]?.containerID;
    expect(await kubelet.stop()).toBe(0);
    expect((await containerd.runtime.listContainers({ state: "CONTAINER_RUNNING" })).length).toBe(2);
    await kubelet.start(flags);
    await isReady("n6");
    const after = (await pod("web")).status?.containerStatuses?.[0];
    expect([after?.containerID, after?.restartCount]).toEqual([before, 0]);
  }, 90_000);

  test("when the machine goes down the node says so, and its pods end before it may", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    const bin = kubelet.path("bin");
    mkdirSync(bin);
    const program = (name: string, text: string): void => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const signal = { type: "signal", member: "PrepareForShutdown", payload: { type: "b", data: [true] } };
    const [begin, held, released] = ["begin", "held", "released"].map((name) => kubelet.path(name));
    // In the place of systemd's own, which speak with its logind.
    program("systemd-inhibit", `touch ${held}; cat; touch ${released}`);
    program(
      "busctl",
      `case "$*" in *get-property*) echo '{"type":"t","data":30000000}';; *) while [ ! -e ${begin} ]; do sleep 0.1; done; echo '${JSON.stringify(signal)}'; sleep 100;; esac`,
    );
    const fields = { shutdownGracePeriod: "20s", shutdownGracePeriodCriticalPods: "5s" };
    const config = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...fields };
    const flags = [...nodeFlags("n7"), `--config=${kubelet.write("config.json", JSON.stringify(config))}`];
    const notified = kubelet.path("notified");
    program("systemd-notify", `echo "$*" >${notified}`);
    await kubelet.start(flags, { PATH: `${bin}:${process.env.PATH}`, NOTIFY_SOCKET: "/run/systemd/notify" });
    await isReady("n7");
    await eventually(() => existsSync(notified), 10_000, "systemd is told that it is ready");
    expect(readFileSync(notified, "utf8")).toMatch(/^--ready --pid=\d+\n$/);
    await client.create<Pod>(core("pods"), "default", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "ends", namespace: "default" },
      spec: {
        nodeName: "n7",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "main", image }],
      },
    } as unknown as Pod);
    const status = async (): Promise<Pod["status"]> => (await client.get<Pod>(core("pods"), "default", "ends")).status;
    await eventually(async () => (await status())?.phase === "Running", 20_000, "the pod runs");
    expect([existsSync(String(held)), existsSync(String(released))]).toEqual([true, false]);
    writeFileSync(String(begin), "");
    await eventually(async () => (await status())?.phase === "Failed", 20_000, "the pod ends");
    expect(await status()).toMatchObject({
      reason: "Terminated",
      message: "Pod was terminated in response to imminent node shutdown.",
    });
    await eventually(() => existsSync(String(released)), 20_000, "the machine may go down");
    const ready = (await node("n7")).status?.conditions?.find(({ type }) => type === "Ready");
    expect([ready?.status, ready?.reason, ready?.message]).toEqual(["False", "KubeletNotReady", "node is shutting down"]);
  }, 60_000);

  test("called as in former years it reads what they say, tells what it comes to, and opens the port that their guides read", async () => {
    kubelet = await KubeletProgram.prepare(containerd);
    const manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "static" },
      spec: { containers: [{ name: "main", image }] },
    };
    writeFileSync(join(kubelet.manifests, "static.yaml"), JSON.stringify(manifest));
    await kubelet.start([
      "--api-servers=http://127.0.0.1:1",
      "--register-schedulable=false",
      "--container-runtime=docker",
      "--network-plugin=",
      "--network_plugin_dir=/etc/kubernetes/cni/net.d",
      "--allow-privileged=true",
      `--config=${kubelet.manifests}`,
      "--hostname-override=192.0.2.1",
      "--cluster_dns=10.32.0.10,10.32.0.11",
      "--cluster_domain=cluster.local",
    ]);
    const names = async (): Promise<readonly string[]> =>
      JSON.parse((await kubelet.plain(10255, "/pods")).body).items.map(({ metadata }: Pod) => metadata.name);
    await eventually(async () => (await names()).includes("static-192.0.2.1"), 10_000, "the pod of the manifest");
    for (const flag of ["container-runtime", "network-plugin", "network-plugin-dir", "allow-privileged", "api-servers"]) {
      expect(kubelet.said.split("\n").filter((line) => line.includes(`"--${flag}"`))).toHaveLength(1);
    }
    // Its API server lets in everybody of this machine; so does it.
    expect(await kubelet.secure("/healthz")).toMatchObject({ status: 200 });
  }, 60_000);
});
