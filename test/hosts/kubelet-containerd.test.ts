import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { withDefaults } from "#kubelet/configuration/defaults.ts";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { hasKubectl, Kubectl } from "../support/kubectl.ts";
import { RealNode } from "../support/real-node.ts";
import { saySkipped } from "../support/say-skipped.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 30_000, interval: 100 };
const PODS = "/api/v1/namespaces/default/pods";

saySkipped(containerdVersions.length > 0, `a kubelet on a real runtime: ${CONTAINERD_REASON}`);

describe.each(containerdVersions)("a kubelet on $name", (version) => {
  let node: RealNode;
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    node = await RealNode.start({ version });
    cluster = await startCluster({ nodes: 0, network: node.network });
    ask = asker(cluster);
    await node.register(cluster.client);
    await node.launch(cluster);
    await vi.waitFor(
      async () => expect((await ask("GET", "/api/v1/namespaces/default/serviceaccounts/default")).status).toBe(200),
      SOON,
    );
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    // Fails when something of a pod is left on the machine.
    await node?.[Symbol.asyncDispose]();
  }, 60_000);

  const podOf = async (name: string): Promise<Any> => (await ask("GET", `${PODS}/${name}`)).body;
  const phaseOf = (name: string, phase: string) =>
    vi.waitFor(async () => expect((await podOf(name)).status?.phase).toBe(phase), SOON);
  const gone = (name: string) => vi.waitFor(async () => expect((await ask("GET", `${PODS}/${name}`)).status).toBe(404), SOON);
  const create = async (name: string, spec: object): Promise<void> => {
    const made = await ask("POST", PODS, {
      metadata: { name },
      spec: { nodeName: node.nodeName, terminationGracePeriodSeconds: 1, ...spec },
    });
    expect(made.status, made.text).toBe(201);
  };
  const manifest = (name: string, spec: object, metadata: object = {}): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, ...metadata },
      spec: { terminationGracePeriodSeconds: 1, ...spec },
    });
  const sandboxes = async (name: string): Promise<readonly string[]> =>
    (await node.containerd.runtime.listPodSandbox()).filter(({ metadata }) => metadata.name === name).map(({ id }) => id);

  test("a pod of the API runs, is seen, spoken with, and gone when it is deleted", async () => {
    await create("web", {
      automountServiceAccountToken: false,
      containers: [{ name: "app", image: node.image, command: ["sh", "-c", "echo hello from $HOSTNAME; sleep 3600"] }],
    });
    await phaseOf("web", "Running");
    const { status, metadata } = await podOf("web");
    expect(status.containerStatuses[0]).toMatchObject({
      ready: true,
      restartCount: 0,
      image: node.image,
      containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
    });
    expect(status.podIP).toMatch(/^10\.253\./);
    expect((await ask("GET", `${PODS}/web/log`)).text).toBe("hello from web\n");
    const folder = `default_web_${metadata.uid}`;
    expect(readdirSync(join(node.logs, folder, "app"))).toEqual(["0.log"]);
    if (hasKubectl) {
      using kubectl = new Kubectl(cluster.kubeconfig);
      expect(await kubectl.run(["exec", "web", "--", "sh", "-c", "echo inside; exit 3"])).toMatchObject({
        code: 3,
        stdout: "inside\n",
        stderr: expect.stringContaining("exit code 3"),
      });
    }
    expect((await ask("DELETE", `${PODS}/web`)).status).toBe(200);
    await gone("web");
    await vi.waitFor(async () => expect(await sandboxes("web")).toEqual([]), SOON);
    await vi.waitFor(() => expect(existsSync(join(node.logs, folder))).toBe(false), SOON);
  });

  test("a static pod runs, is shown by a mirror pod that comes back, and is gone with its manifest", async () => {
    const path = join(node.manifests, "static.json");
    writeFileSync(path, manifest("static", { containers: [{ name: "app", image: node.image }] }));
    const name = `static-${node.nodeName}`;
    await phaseOf(name, "Running");
    const mirror = await podOf(name);
    expect(mirror.metadata.annotations).toMatchObject({
      "kubernetes.io/config.source": "file",
      "kubernetes.io/config.hash": mirror.metadata.annotations["kubernetes.io/config.mirror"],
    });
    expect(mirror.metadata.ownerReferences).toMatchObject([{ kind: "Node", name: node.nodeName, controller: true }]);
    const [id] = await sandboxes(name);
    await ask("DELETE", `${PODS}/${name}`);
    await vi.waitFor(async () => {
      const { metadata, status } = await podOf(name);
      expect([metadata?.uid === mirror.metadata.uid, status?.phase]).toEqual([false, "Running"]);
    }, SOON);
    expect(await sandboxes(name)).toEqual([id]);
    rmSync(path);
    await gone(name);
    await vi.waitFor(async () => expect(await sandboxes(name)).toEqual([]), SOON);
  });

  const events = async (name: string): Promise<string[]> =>
    (await ask("GET", `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`)).body.items.map(
      ({ reason, message }: Any) => `${reason} ${message}`,
    );
  const logOf = async (name: string): Promise<string> => (await ask("GET", `${PODS}/${name}/log`)).text;
  const removed = async (...names: string[]): Promise<void> => {
    for (const name of names) await ask("DELETE", `${PODS}/${name}`);
    for (const name of names) await gone(name);
    for (const name of names) await vi.waitFor(async () => expect(await sandboxes(name)).toEqual([]), SOON);
  };

  test("a sandbox is as the spec says: name, kernel settings, processes, the node's network", async () => {
    const script = "hostname; cat /proc/sys/net/ipv4/ip_local_port_range; ps | grep -c '[s]leep 2147483647'";
    await create("shaped", {
      restartPolicy: "Never",
      hostname: "own",
      subdomain: "sub",
      setHostnameAsFQDN: true,
      shareProcessNamespace: true,
      securityContext: { sysctls: [{ name: "net.ipv4.ip_local_port_range", value: "2000 3000" }] },
      containers: [{ name: "app", image: node.image, command: ["sh", "-c", script] }],
    });
    await create("of-node", {
      restartPolicy: "Never",
      hostNetwork: true,
      containers: [{ name: "app", image: node.image, command: ["hostname"] }],
    });
    await Promise.all([phaseOf("shaped", "Succeeded"), phaseOf("of-node", "Succeeded")]);
    expect(await logOf("shaped")).toBe("own.sub.default.svc.cluster.local\n2000\t3000\n1\n");
    const { podIP, hostIP } = (await podOf("of-node")).status;
    expect(podIP).toBe(hostIP);
    expect(await logOf("of-node")).toBe(`${hostname()}\n`);
    await removed("shaped", "of-node");
  });

  test("what cannot be made is told in upstream's words, and made when it can", async () => {
    await create("no-image", { containers: [{ name: "app", image: `${node.registry.host}/nowhere:1` }] });
    await create("no-program", { containers: [{ name: "app", image: node.image, command: ["nothing-like-it"] }] });
    await create("root", { containers: [{ name: "app", image: node.image, securityContext: { runAsNonRoot: true } }] });
    const waiting = async (name: string): Promise<Any> => (await podOf(name)).status.containerStatuses?.[0]?.state.waiting;
    await vi.waitFor(async () => expect((await waiting("no-image"))?.reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/), SOON);
    await vi.waitFor(
      async () => expect((await waiting("no-program"))?.reason).toMatch(/^(RunContainerError|CrashLoopBackOff)$/),
      SOON,
    );
    await vi.waitFor(async () => expect((await waiting("root"))?.reason).toBe("CreateContainerConfigError"), SOON);
    expect((await waiting("root")).message).toMatch(
      /^container has runAsNonRoot and image will run as root \(pod: "root_default\(/,
    );
    expect(await events("no-image")).toEqual(expect.arrayContaining([expect.stringMatching(/^Failed Error: ErrImagePull$/)]));
    await removed("no-image", "no-program", "root");
  });

  test("a probe opens a connection, and says where nobody takes it", async () => {
    const command = ["sh", "-c", "mkdir /www; touch /www/ok; httpd -f -p 8080 -h /www"];
    const tcp = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
    await create("tcp", { containers: [{ name: "app", image: node.image, command, readinessProbe: tcp, livenessProbe: tcp }] });
    const closed = { tcpSocket: { port: 81 }, periodSeconds: 1, failureThreshold: 1 };
    await create("closed", { containers: [{ name: "app", image: node.image, readinessProbe: closed }] });
    await vi.waitFor(async () => expect((await podOf("tcp")).status.containerStatuses?.[0]).toMatchObject({ ready: true }), SOON);
    const { podIP } = await vi.waitFor(async () => {
      const { status } = await podOf("closed");
      expect(status.podIP).toBeDefined();
      return status;
    }, SOON);
    const refused = `Unhealthy Readiness probe failed: dial tcp ${podIP}:81: connect: connection refused`;
    await vi.waitFor(async () => expect(await events("closed")).toContain(refused), SOON);
    await removed("tcp", "closed");
  });

  test("a machine that goes down ends its pods, and takes no more on", async () => {
    await node.end();
    const config = {
      ...withDefaults({}),
      podLogsDir: node.logs,
      shutdownGracePeriod: "6s",
      shutdownGracePeriodCriticalPods: "3s",
    };
    const kubelet = await node.launch(cluster, cluster.client, { config });
    await create("ends", { terminationGracePeriodSeconds: 30, containers: [{ name: "app", image: node.image }] });
    await phaseOf("ends", "Running");
    await kubelet.shutDown();
    await vi.waitFor(
      async () =>
        expect((await podOf("ends")).status).toMatchObject({
          phase: "Failed",
          reason: "Terminated",
          message: "Pod was terminated in response to imminent node shutdown.",
        }),
      SOON,
    );
    await create("late", { containers: [{ name: "app", image: node.image }] });
    await vi.waitFor(
      async () => expect((await podOf("late")).status).toMatchObject({ phase: "Failed", reason: "NodeShutdown" }),
      SOON,
    );
    await removed("ends", "late");
  });
});
