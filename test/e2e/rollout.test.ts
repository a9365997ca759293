import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, type StartClusterOptions, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

/** Nodes beat once a second; one that is silent for four is gone. */
const NODE_LEASE_DURATION_SECONDS = 4;
const NODE_MONITOR_GRACE_PERIOD_SECONDS = 4;

describe.skipIf(!hasKubectl)("rollouts over ten nodes (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(() => start());
  afterAll(() => stop());

  async function start(options: StartClusterOptions = {}): Promise<void> {
    cluster = await startCluster({ nodes: 10, ...options });
    kubectl = new Kubectl(cluster.kubeconfig);
  }

  async function stop(): Promise<void> {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  }

  const image = () => kubectl.ok(["get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
  const imagesOfPods = async () => {
    const text = await kubectl.ok(["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.containers[0].image}"]);
    return new Set(text.split(" "));
  };
  const rolledOut = () => kubectl.ok(["rollout", "status", "deployment/web", "--timeout=150s"]);

  test("a hundred replicas become ready, ten or so on each node", async () => {
    await kubectl.ok(["apply", "-f", "-"], deployment("web", 100, "app:1"));
    await rolledOut();
    expect(await kubectl.ok(["get", "deployment", "web"])).toMatch(/web\s+100\/100\s+100\s+100/);
    const perNode = countOf(await podNodes("web"));
    expect(perNode.size).toBe(10);
    for (const count of perNode.values()) expect(count).toBeLessThanOrEqual(13);
  });

  test("a rolling update keeps to its limits and ends with new pods only", async () => {
    const replicas = watchReplicas();
    await kubectl.ok(["set", "image", "deployment/web", "c=app:2"]);
    await rolledOut();
    const { least, most } = await replicas.end();
    // Upstream's defaults: a quarter may be absent, and a quarter more may be there.
    expect(least).toBeGreaterThanOrEqual(75);
    expect(most).toBeLessThanOrEqual(125);
    await eventually(async () => (await podNodes("web")).length === 100, 30_000, "old pods are gone");
    expect(await imagesOfPods()).toEqual(new Set(["app:2"]));
  });

  test("a rollback brings back what was", async () => {
    expect(await kubectl.ok(["rollout", "history", "deployment/web"])).toMatch(/\n1\s+<none>\n2\s+<none>\n/);
    expect(await kubectl.ok(["rollout", "undo", "deployment/web"])).toBe("deployment.apps/web rolled back\n");
    await rolledOut();
    expect(await image()).toBe("app:1");
    await eventually(async () => (await podNodes("web")).length === 100, 30_000, "pods of the other revision are gone");
    expect(await imagesOfPods()).toEqual(new Set(["app:1"]));
    expect(await kubectl.ok(["rollout", "history", "deployment/web"])).toMatch(/\n2\s+<none>\n3\s+<none>\n/);
    // What was there is taken up again, and not made anew.
    const { items } = await kubectl.json(["get", "replicasets", "-l", "app=web"]);
    expect(items.length).toBe(2);
  });

  test("a rollout that cannot succeed stops at its limits and is undone", async () => {
    await kubectl.ok(["patch", "deployment", "web", "-p", unreadyPatch]);
    await eventually(async () => /web\s+75\/100\s+50\s+75/.test(await kubectl.ok(["get", "deployment", "web"])));
    await kubectl.ok(["rollout", "undo", "deployment/web"]);
    await rolledOut();
    expect(await kubectl.ok(["get", "deployment", "web"])).toMatch(/web\s+100\/100\s+100\s+100/);
    await kubectl.ok(["delete", "deployment", "web"]);
  });

  test("a node that dies is marked, its pods run elsewhere, and it comes back", async () => {
    // Only here: on a busy machine, nodes that beat so often are taken for dead while pods roll.
    await stop();
    await start({
      nodeLeaseDurationSeconds: NODE_LEASE_DURATION_SECONDS,
      nodeMonitorGracePeriodSeconds: NODE_MONITOR_GRACE_PERIOD_SECONDS,
    });
    await kubectl.ok(["apply", "-f", "-"], deployment("web", 20, "app:1"));
    await rolledOut();
    const [node = ""] = await podNodes("web");
    cluster.nodes.stopNode(node);
    await eventually(async () => (await status(node)) === "NotReady", 15_000, "the dead node is NotReady");
    const taints = await kubectl.ok(["get", "node", node, "-o", "jsonpath={.spec.taints[*].key}"]);
    expect(new Set(taints.split(" "))).toEqual(new Set(["node.kubernetes.io/unreachable"]));
    // The dead node's pods cannot be seen to end: they stay, being deleted, and others take their place.
    await rolledOut();
    const ready = await podNodes("web", (pod) => pod.status?.conditions?.some(isTrue("Ready")) === true);
    expect(ready.length).toBe(20);
    expect(ready).not.toContain(node);
    const left = await podNodes("web", (pod) => pod.metadata.deletionTimestamp !== undefined);
    expect(new Set(left)).toEqual(new Set([node]));
    await cluster.nodes.startNode(node);
    await eventually(async () => (await status(node)) === "Ready", 15_000, "the node is back");
    await eventually(async () => (await podNodes("web")).length === 20, 15_000, "the pods that were left there are gone");
    await eventually(async () => (await kubectl.ok(["get", "node", node, "-o", "jsonpath={.spec.taints}"])) === "");
  });

  interface SeenPod {
    readonly metadata: { readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
    readonly status?: { readonly conditions?: readonly Condition[] };
  }

  /** The nodes of a deployment's pods, one for each pod. */
  async function podNodes(app: string, filter: (pod: SeenPod) => boolean = () => true): Promise<string[]> {
    const { items } = await kubectl.json(["get", "pods", "-l", `app=${app}`]);
    return (items as readonly SeenPod[]).filter(filter).map((pod) => pod.spec.nodeName ?? "");
  }

  async function status(node: string): Promise<string | undefined> {
    return (await kubectl.ok(["get", "node", node, "--no-headers"])).split(/\s+/)[1];
  }

  /** Follows the Deployment's status until it is ended: the fewest available and the most of all replicas. */
  function watchReplicas(): { end(): Promise<{ least: number; most: number }> } {
    const stopped = new AbortController();
    const seen = { least: Number.POSITIVE_INFINITY, most: 0 };
    const id = { group: "apps", version: "v1", resource: "deployments" };
    const follow = async (): Promise<void> => {
      const { metadata } = await cluster.client.list(id, "default");
      const resourceVersion = metadata.resourceVersion ?? "";
      for await (const events of cluster.client.watch(id, "default", { resourceVersion, signal: stopped.signal })) {
        for (const { object } of events) {
          const { availableReplicas = 0, replicas = 0 } = (object as DeploymentSeen).status ?? {};
          seen.least = Math.min(seen.least, availableReplicas);
          seen.most = Math.max(seen.most, replicas);
        }
      }
    };
    const following = follow().catch((error: unknown) => {
      if (!stopped.signal.aborted) throw error;
    });
    return {
      async end() {
        stopped.abort();
        await following;
        return seen;
      },
    };
  }
});

interface Condition {
  readonly type: string;
  readonly status: string;
}

interface DeploymentSeen {
  readonly status?: { readonly availableReplicas?: number; readonly replicas?: number };
}

function isTrue(type: string): (condition: Condition) => boolean {
  return (condition) => condition.type === type && condition.status === "True";
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const unreadyPatch = JSON.stringify({
  spec: {
    template: {
      metadata: { annotations: { "kybern.io/simulated-ready": "false" } },
      spec: { containers: [{ name: "c", image: "app:3", readinessProbe: { exec: { command: ["never"] } } }] },
    },
  },
});

function deployment(name: string, replicas: number, image: string): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers: [{ name: c, image: "${image}" }]
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
`;
}
