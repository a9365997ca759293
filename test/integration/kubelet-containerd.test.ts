import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { asker } from "../support/ask.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { CONTAINERD_REASON, containerdVersions } from "../support/containerd.ts";
import { hasKubectl, Kubectl } from "../support/kubectl.ts";
import { RealNode } from "../support/real-node.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

const SOON = { timeout: 30_000, interval: 100 };
const PODS = "/api/v1/namespaces/default/pods";

test.skipIf(containerdVersions.length > 0)(`a kubelet on a real runtime: ${CONTAINERD_REASON}`, (context) => context.skip());

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
    if (process.env.DEBUG_NODE)
      console.log(
        node.said.join("\n"),
        (await ask("GET", "/api/v1/events")).body.items.map((e: Any) => `${e.involvedObject.name} ${e.reason} ${e.message}`),
      );
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
    expect(existsSync(join(node.logs, folder))).toBe(false);
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
});
