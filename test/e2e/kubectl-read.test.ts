import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

describe.skipIf(!hasKubectl)("kubectl reads (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    kubectl = new Kubectl(cluster.kubeconfig);
    await kubectl.ok(["create", "configmap", "settings", "--from-literal=mode=fast", "--from-literal=size=3"]);
    await kubectl.ok(["label", "configmap", "settings", "app=demo"]);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("cluster-info names the control plane", async () => {
    expect(await kubectl.ok(["cluster-info"])).toMatch(/Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:/);
  });

  test("version tells v1.36", async () => {
    const version = JSON.parse(await kubectl.ok(["version", "-o", "json"]));
    expect(version.serverVersion).toMatchObject({ major: "1", minor: "36" });
  });

  test("api-resources and api-versions list what is served", async () => {
    const resources = await kubectl.ok(["api-resources"]);
    for (const name of ["pods", "deployments", "endpointslices", "clusterrolebindings", "horizontalpodautoscalers"])
      expect(resources).toContain(name);
    expect((await kubectl.ok(["api-versions"])).split("\n")).toEqual(
      expect.arrayContaining(["v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1"]),
    );
  });

  test("componentstatuses are healthy", async () => {
    const text = await kubectl.ok(["get", "componentstatuses"]);
    expect(text).toMatch(/controller-manager\s+Healthy\s+ok/);
    expect(text).toMatch(/scheduler\s+Healthy\s+ok/);
    expect(text).toMatch(/etcd-0\s+Healthy/);
  });

  test("get prints every output format", async () => {
    const get = (...args: string[]) => kubectl.ok(["get", "configmap", "settings", ...args]);
    expect(await get()).toMatch(/NAME\s+DATA\s+AGE\nsettings\s+2\s+/);
    expect(await get("-o", "wide")).toMatch(/^NAME/);
    expect(await get("-o", "name")).toBe("configmap/settings\n");
    expect(JSON.parse(await get("-o", "json")).data).toEqual({ mode: "fast", size: "3" });
    expect(await get("-o", "yaml")).toContain("mode: fast");
    expect(await get("-o", "jsonpath={.data.mode}")).toBe("fast");
    expect(await get("-o", "go-template={{.data.size}}")).toBe("3");
    expect(await get("-o", "custom-columns=N:.metadata.name,M:.data.mode")).toMatch(/N\s+M\nsettings\s+fast/);
    expect(await get("--show-labels")).toContain("app=demo");
    expect(await get("-L", "app")).toMatch(/APP\nsettings.*demo/);
    expect(await kubectl.ok(["get", "cm", "-A", "--sort-by=.metadata.name"])).toContain("kube-root-ca.crt");
    expect(await kubectl.ok(["get", "cm", "-l", "app=demo", "-o", "name"])).toBe("configmap/settings\n");
    expect(await kubectl.ok(["get", "cm", "--field-selector", "metadata.name=settings", "-o", "name"])).toBe(
      "configmap/settings\n",
    );
  });

  test("get of what is absent tells upstream's error", async () => {
    const result = await kubectl.run(["get", "pod", "nope"]);
    expect(result).toMatchObject({ code: 1, stderr: 'Error from server (NotFound): pods "nope" not found\n' });
  });

  test("nodes are Ready, and describe shows them", async () => {
    await eventually(async () => (await kubectl.ok(["get", "nodes"])).match(/ Ready /g)?.length === 2);
    const name = (await kubectl.ok(["get", "nodes", "-o", "name"])).split("\n")[0] ?? "";
    const text = await kubectl.ok(["describe", name]);
    expect(text).toMatch(/Ready\s+True/);
    expect(text).toContain("Allocatable:");
  });

  test("explain knows fields and their texts", async () => {
    expect(await kubectl.ok(["explain", "deployment.spec.strategy.rollingUpdate"])).toContain("maxSurge");
    expect(await kubectl.ok(["explain", "pod.spec.containers", "--recursive"])).toContain("livenessProbe");
  });

  test("get -w follows changes", async () => {
    using watch = kubectl.start(["get", "configmap", "-w", "-o", "name"]);
    await eventually(() => watch.output.includes("configmap/settings"));
    await kubectl.ok(["create", "configmap", "later"]);
    await eventually(() => watch.output.includes("configmap/later"));
  });

  test("auth can-i answers for the administrator and for others", async () => {
    expect(await kubectl.ok(["auth", "can-i", "create", "deployments"])).toBe("yes\n");
    expect((await kubectl.run(["auth", "can-i", "create", "deployments", "--as", "nobody"])).stdout).toBe("no\n");
    expect(await kubectl.ok(["auth", "can-i", "--list"])).toContain("*.*");
    expect(await kubectl.ok(["auth", "whoami"])).toContain("kubernetes-admin");
  });

  test("top tells that there are no metrics", async () => {
    const result = await kubectl.run(["top", "nodes"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe("error: Metrics API not available\n");
  });

  test("raw paths answer", async () => {
    expect(await kubectl.ok(["get", "--raw", "/readyz"])).toBe("ok");
    expect(await kubectl.ok(["get", "--raw", "/livez?verbose"])).toContain("[+]ping ok");
    expect(await kubectl.ok(["get", "--raw", "/metrics"])).toContain("apiserver_request_total");
  });
});
