import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type Answered, asker } from "../support/ask.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

const GROUPS = ["metrics.k8s.io/v1beta1", "custom.metrics.k8s.io/v1beta2", "external.metrics.k8s.io/v1beta1"];
const NAMESPACE = "/apis/apps/v1/namespaces/default";
const AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
/** An autoscaler is looked at every 15 s. */
const PATIENCE_MS = 60_000;

/** Stands for a metrics server: every pod uses 80m CPU, the service gets 30 requests per second, 70 jobs wait in a queue. */
class MetricsServer {
  readonly #server: Server;
  readonly asked: string[] = [];

  constructor(pods: () => Promise<readonly string[]>) {
    const now = realClock.now();
    const leaf = issueCertificate(
      createAuthority("metrics-ca", now),
      { commonName: "metrics", usages: ["server"], hosts: ["x"] },
      now,
    );
    this.#server = createServer({ cert: leaf.cert, key: leaf.key });
    this.#server.on("request", async (request, response) => {
      const url = new URL(request.url ?? "", "https://x");
      this.asked.push(url.pathname);
      const answer = await this.#answer(url.pathname, pods);
      response
        .writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" })
        .end(JSON.stringify(answer ?? {}));
    });
  }

  async #answer(path: string, pods: () => Promise<readonly string[]>): Promise<object | undefined> {
    const version = GROUPS.find((group) => path === `/apis/${group}`);
    const timestamp = new Date(realClock.now()).toISOString();
    const list = (items: readonly object[]): object => ({ kind: "List", apiVersion: "v1", metadata: {}, items });
    if (version !== undefined) {
      const pod = { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] };
      const resources = version === GROUPS[0] ? [pod] : [];
      return { kind: "APIResourceList", apiVersion: "v1", groupVersion: version, resources };
    }
    if (path.startsWith(`/apis/${GROUPS[0]}/namespaces/default/pods`)) {
      const containers = [{ name: "nginx", usage: { cpu: "80m", memory: "10Mi" } }];
      const items = (await pods()).map((name) => ({
        metadata: { name, namespace: "default" },
        timestamp,
        window: "15s",
        containers,
      }));
      return { ...list(items), kind: "PodMetricsList", apiVersion: GROUPS[0] };
    }
    if (path === `/apis/${GROUPS[1]}/namespaces/default/services/front/requests`) {
      return list([
        { describedObject: { kind: "Service", name: "front" }, metric: { name: "requests" }, timestamp, value: "30" },
      ]);
    }
    if (path === `/apis/${GROUPS[2]}/namespaces/default/jobs`) return list([{ metricName: "jobs", timestamp, value: "70" }]);
    return undefined;
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "0.0.0.0", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe.concurrent("autoscaling by metrics of another server", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let server: MetricsServer;
  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address;

  const podNames = async (): Promise<readonly string[]> => {
    const { body } = await ask("GET", "/api/v1/namespaces/default/pods");
    return body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  };
  const deployment = (name: string, replicas: number): object => ({
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "nginx", image: "nginx", resources: { requests: { cpu: "100m" } } }] },
      },
    },
  });
  const autoscaler = (name: string, metric: object): object => ({
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      minReplicas: 1,
      maxReplicas: 9,
      metrics: [metric],
    },
  });
  const until = (path: string, holds: (answer: Answered) => boolean, what: string): Promise<Answered> =>
    eventually(
      async () => {
        const answer = await ask("GET", path);
        if (holds(answer)) return answer;
        throw new Error(JSON.stringify(answer.body.status));
      },
      PATIENCE_MS,
      what,
    );

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    ask = asker(cluster);
    server = new MetricsServer(podNames);
    const port = await server.start();
    await ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "metrics" }, spec: { ports: [{ port: 443 }] } });
    await ask("POST", "/api/v1/namespaces/default/endpoints", {
      metadata: { name: "metrics" },
      subsets: [{ addresses: [{ ip: address }], ports: [{ port }] }],
    });
    for (const groupVersion of GROUPS) {
      const [group, version] = groupVersion.split("/");
      await ask("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
        metadata: { name: `${version}.${group}` },
        spec: {
          group,
          version,
          service: { namespace: "default", name: "metrics" },
          insecureSkipTLSVerify: true,
          groupPriorityMinimum: 100,
          versionPriority: 100,
        },
      });
    }
    for (const groupVersion of GROUPS) {
      const [group, version] = groupVersion.split("/");
      const available = ({ body }: Answered): boolean => body.status?.conditions?.[0]?.status === "True";
      await until(`/apis/apiregistration.k8s.io/v1/apiservices/${version}.${group}`, available, `${group} is available`);
    }
  });
  afterAll(async () => {
    await server?.stop();
    await cluster?.stop();
  });

  test.skipIf(address === undefined)(
    "targets grow with a queue, and do not shrink at once (needs a network address)",
    async () => {
      const metrics = {
        external: {
          type: "External",
          external: { metric: { name: "jobs" }, target: { type: "AverageValue", averageValue: "10" } },
        },
        object: {
          type: "Object",
          object: {
            metric: { name: "requests" },
            describedObject: { apiVersion: "v1", kind: "Service", name: "front" },
            target: { type: "AverageValue", averageValue: "10" },
          },
        },
      };
      for (const [name, metric] of Object.entries(metrics)) {
        await ask("POST", `${NAMESPACE}/deployments`, deployment(name, 4));
        await ask("POST", AUTOSCALERS, autoscaler(name, metric));
      }
      const grown = ({ body }: Answered): boolean => body.status?.currentReplicas === 7;
      const { body } = await until(`${AUTOSCALERS}/external`, grown, "seven replicas for seventy jobs");
      expect(body.status.currentMetrics).toMatchObject([{ type: "External", external: { metric: { name: "jobs" } } }]);
      expect(body.status.conditions.map(({ type, reason }: { type: string; reason: string }) => [type, reason])).toEqual([
        ["AbleToScale", "ReadyForNewScale"],
        ["ScalingActive", "ValidMetricFound"],
        ["ScalingLimited", "DesiredWithinRange"],
      ]);
      // Three would do for thirty requests; what there was at the beginning counts for five minutes.
      const held = await until(`${AUTOSCALERS}/object`, (answer) => answer.body.status?.conditions?.length === 3, "a verdict");
      expect(held.body.status).toMatchObject({ currentReplicas: 4, desiredReplicas: 4 });
      expect(held.body.status.conditions[0].reason).toBe("ScaleDownStabilized");
      expect(held.body.status.currentMetrics[0].object.current).toEqual({ averageValue: "7500m" });
    },
  );

  test.skipIf(address === undefined || !hasKubectl)(
    "kubectl autoscale, and kubectl top (needs kubectl and a network address)",
    async () => {
      using kubectl = new Kubectl(cluster.kubeconfig);
      await kubectl.ok(
        ["create", "-f", "-"],
        JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", ...deployment("busy", 1) }),
      );
      await kubectl.ok(["rollout", "status", "deployment/busy", "--timeout=60s"]);
      expect(await kubectl.ok(["top", "pods", "--selector=app=busy", "--no-headers"])).toMatch(/^busy-\S+ +80m +10Mi/);
      await kubectl.ok(["autoscale", "deployment", "busy", "--cpu-percent=40", "--min=1", "--max=5"]);
      const all = ["get", "hpa", "busy", "--no-headers"];
      // A pod's usage counts once it has been ready for a window of its metrics.
      await eventually(
        async () => /Deployment\/busy +cpu: 80%\/40% +1 +5 +[2-5] /.test(await kubectl.ok(all)),
        PATIENCE_MS,
        "two replicas",
      );
      expect(await kubectl.ok(["describe", "hpa", "busy"])).toContain(
        "New size: 2; reason: cpu resource utilization (percentage of request) above target",
      );
    },
  );
});
