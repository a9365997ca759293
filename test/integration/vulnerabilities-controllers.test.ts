import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { eventually } from "../support/kubectl.ts";

// Attacks of published vulnerabilities on the controllers. test/conformance/vulnerabilities.yaml says which is which.

let cluster: Cluster;
let ask: ReturnType<typeof asker>;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  ask = asker(cluster);
});
afterAll(() => cluster?.stop());

async function made(path: string, object: object): Promise<void> {
  const { status, text } = await ask("POST", path, object);
  expect([status, text]).toEqual([201, text]);
}

test("a pod of a namespace that goes is never without its network policy", async () => {
  const home = "/api/v1/namespaces/going";
  const policies = "/apis/networking.k8s.io/v1/namespaces/going/networkpolicies";
  await made("/api/v1/namespaces", { metadata: { name: "going" } });
  await eventually(async () => (await ask("GET", `${home}/serviceaccounts/default`)).status === 200);
  await made(policies, { metadata: { name: "closed" }, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } });
  const containers = [{ name: "c", image: "x" }];
  await made(`${home}/pods`, { metadata: { name: "stays", finalizers: ["example.com/stays"] }, spec: { containers } });
  expect((await ask("DELETE", home)).status).toBe(200);
  // The controller has been at work when it says what is left.
  await eventually(async () => {
    const { body } = await ask("GET", home);
    return JSON.stringify(body.status?.conditions ?? []).includes("pods. has 1 resource instances");
  });
  expect((await ask("GET", `${policies}/closed`)).status).toBe(200);
  await ask("PATCH", `${home}/pods/stays`, { metadata: { finalizers: null } });
  await eventually(async () => (await ask("GET", home)).status === 404);
});

test("an autoscaler that says nonsense stops no controller", async () => {
  const home = "/api/v1/namespaces/default";
  const target = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
  const v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
  const v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const annotations = {
    "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Resource"}]',
    "autoscaling.alpha.kubernetes.io/behavior": '{"scaleUp":{"policies":[null]}}',
  };
  await ask("POST", v1, { metadata: { name: "odd", annotations }, spec: { scaleTargetRef: target, maxReplicas: 3 } });
  for (const [name, spec] of [
    ["empty", { behavior: { scaleUp: {}, scaleDown: {} } }],
    ["bare", { metrics: [{ type: "Resource" }] }],
    ["half", { metrics: [{ type: "Object", object: { metric: { name: "m" } } }] }],
  ] as const) {
    await ask("POST", v2, { metadata: { name }, spec: { scaleTargetRef: target, maxReplicas: 3, ...spec } });
  }
  const template = { metadata: { labels: { a: "d" } }, spec: { containers: [{ name: "c", image: "x" }] } };
  const spec = { replicas: 2, selector: { matchLabels: { a: "d" } }, template };
  await made("/apis/apps/v1/namespaces/default/deployments", { metadata: { name: "d" }, spec });
  await eventually(async () => (await ask("GET", `${home}/pods?labelSelector=a%3Dd`)).body.items.length === 2);
  const { body } = await ask("GET", "/api/v1/componentstatuses/controller-manager");
  expect(body.conditions[0]).toMatchObject({ type: "Healthy", status: "True" });
});
