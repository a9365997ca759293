import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { hasKubectl, Kubectl } from "../support/kubectl.ts";

interface Applied {
  readonly metadata: { readonly managedFields?: readonly { manager: string; operation: string; subresource?: string }[] };
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { containers: { image: string; env?: unknown }[] } };
  };
}

const deployment = (image: string, env: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: ${image}
        ports: [{containerPort: 80}]${env}
`;

describe.skipIf(!hasKubectl)("kubectl apply (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  const current = async (): Promise<Applied> =>
    JSON.parse(await kubectl.ok(["get", "deployment", "web", "--show-managed-fields", "-o", "json"]));

  test("--server-side makes, changes and removes what the file says", async () => {
    const first = deployment("nginx:1", "\n        env: [{name: A, value: b}]");
    const second = deployment("nginx:2", "");
    expect(await kubectl.ok(["apply", "--server-side", "-f", "-"], first)).toContain("serverside-applied");
    const diff = await kubectl.run(["diff", "--server-side", "-f", "-"], second);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toContain("+      - image: nginx:2");
    await kubectl.ok(["apply", "--server-side", "--dry-run=server", "-f", "-"], second);
    expect((await current()).spec.template.spec.containers[0]?.image).toBe("nginx:1");
    await kubectl.ok(["apply", "--server-side", "-f", "-"], second);
    const [container] = (await current()).spec.template.spec.containers;
    expect(container?.image).toBe("nginx:2");
    expect(container?.env).toBeUndefined();
  });

  test("--server-side stops at what another manager scaled, until it is forced", async () => {
    await kubectl.ok(["scale", "deployment", "web", "--replicas=2"]);
    const refused = await kubectl.run(["apply", "--server-side", "-f", "-"], deployment("nginx:2", ""));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas');
    await kubectl.ok(["apply", "--server-side", "--force-conflicts", "-f", "-"], deployment("nginx:2", ""));
    const { spec, metadata } = await current();
    expect(spec.replicas).toBe(1);
    expect(metadata.managedFields?.some(({ subresource }) => subresource === "scale")).toBe(false);
  });

  test("an object passes from client-side to server-side apply and back", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "moved" } };
    const config = (k: string): string => JSON.stringify({ ...object, data: { k } });
    await kubectl.ok(["apply", "-f", "-"], config("1"));
    await kubectl.ok(["apply", "--server-side", "-f", "-"], config("2"));
    await kubectl.ok(["apply", "-f", "-"], config("3"));
    const last = await kubectl.ok(["apply", "view-last-applied", "configmap/moved", "-o", "json"]);
    expect(JSON.parse(last).data).toEqual({ k: "3" });
    expect(JSON.parse(await kubectl.ok(["get", "configmap", "moved", "-o", "json"])).data).toEqual({ k: "3" });
  });
});
