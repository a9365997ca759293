import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

/** Clients that may talk to this server, and older ones that people still have; 1.20 is Debian's. */
const VERSIONS = ["1.20", "1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33"];

const manifest = (namespace: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${namespace}}
data: {level: info}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${namespace}}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
${deployment(namespace, "nginx:1", 2)}`;

function deployment(namespace: string, image: string, replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${namespace}, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "${image}", ports: [{containerPort: 80}]}]}
`;
}

let cluster: Cluster;
beforeAll(async () => {
  if (VERSIONS.some((version) => kubectlOfVersion(version) !== undefined)) cluster = await startCluster({ nodes: 2 });
});
afterAll(() => cluster?.stop());

describe.each(VERSIONS)("kubectl %s", (version) => {
  const program = kubectlOfVersion(version);
  const missing = program === undefined;
  const why = missing ? ` (skipped: there is no kubectl ${version})` : "";
  const namespace = `v${version.replace(".", "-")}`;
  let kubectl: Kubectl;
  beforeAll(() => {
    if (program !== undefined) kubectl = new Kubectl(cluster.kubeconfig, program);
  });
  afterAll(() => kubectl?.[Symbol.dispose]());

  test.skipIf(missing)(`discovers, and explains what there is${why}`, async () => {
    const versions = JSON.parse(await kubectl.ok(["version", "-o", "json"]));
    expect(versions.clientVersion.gitVersion).toMatch(new RegExp(`^v${version}\\.`));
    expect(versions.serverVersion.gitVersion).toMatch(/^v1\.36\./);
    const resources = await kubectl.ok(["api-resources"]);
    expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
    expect(resources).toMatch(/^nodes +no +v1 +false +Node$/m);
    expect(await kubectl.ok(["api-versions"])).toContain("autoscaling/v2");
    expect(await kubectl.ok(["explain", "deployment.spec.replicas"])).toMatch(/KIND: +Deployment[\s\S]*replicas <integer>/);
    expect(await kubectl.ok(["explain", "pods", "--recursive"])).toMatch(/containers\s+<\[\](Container|Object)>/);
  });

  test.skipIf(missing)(`creates, shows, changes and deletes${why}`, async () => {
    const created = await kubectl.ok(["create", "-f", "-"], manifest(namespace));
    expect(created.trim().split("\n")).toEqual([
      `namespace/${namespace} created`,
      "configmap/settings created",
      "service/web created",
      "deployment.apps/web created",
    ]);
    const inNamespace = (...args: string[]): string[] => ["-n", namespace, ...args];
    expect(await kubectl.ok(inNamespace("rollout", "status", "deployment/web", "--timeout=60s"))).toContain(
      "successfully rolled out",
    );
    await kubectl.ok(inNamespace("wait", "--for=condition=Available", "deployment/web", "--timeout=60s"));
    await kubectl.ok(inNamespace("wait", "--for=condition=Ready", "pod", "--selector=app=web", "--timeout=60s"));
    const read = JSON.parse(await kubectl.ok(inNamespace("get", "deployment", "web", "-o", "json")));
    expect(read).toMatchObject({ kind: "Deployment", apiVersion: "apps/v1", status: { readyReplicas: 2 } });
    const wide = await kubectl.ok(inNamespace("get", "deployments,pods", "-o", "wide"));
    expect(wide).toMatch(/NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\ndeployment\.apps\/web +2\/2/);
    expect(wide).toMatch(/pod\/web-\S+ +1\/1 +Running/);
    await kubectl.ok(inNamespace("patch", "configmap", "settings", "--patch", '{"data":{"more":"1"}}'));
    await kubectl.ok(
      inNamespace("patch", "configmap", "settings", "--type=json", "--patch", '[{"op":"remove","path":"/data/level"}]'),
    );
    const settings = JSON.parse(await kubectl.ok(inNamespace("get", "configmap", "settings", "-o", "json")));
    expect(settings.data).toEqual({ more: "1" });
    await kubectl.ok(inNamespace("delete", "service/web", "deployment/web", "--timeout=60s"));
    expect((await kubectl.run(inNamespace("get", "deployment", "web"))).stderr).toContain('deployments.apps "web" not found');
  });

  test.skipIf(missing)(`applies by client and by server, and tells the difference${why}`, async () => {
    const other = `${namespace}-applied`;
    await kubectl.ok(["apply", "-f", "-"], manifest(other));
    const again = await kubectl.ok(["apply", "-f", "-"], manifest(other));
    expect(
      again
        .trim()
        .split("\n")
        .every((line) => line.endsWith(" unchanged")),
    ).toBe(true);
    const changed = deployment(other, "nginx:2", 1);
    const difference = await kubectl.run(["diff", "-f", "-"], changed);
    expect(difference.code).toBe(1);
    expect(difference.stdout).toMatch(/^- +- image: nginx:1\n\+ +- image: nginx:2$/m);
    expect(await kubectl.ok(["apply", "-f", "-"], changed)).toContain("deployment.apps/web configured");
    expect((await kubectl.run(["diff", "-f", "-"], changed)).code).toBe(0);
    const byServer = ["apply", "--server-side", "--field-manager=tester", "-f", "-"];
    const conflict = await kubectl.run(byServer, deployment(other, "nginx:3", 1));
    expect(conflict.stderr).toContain('conflict with "kubectl-client-side-apply"');
    expect(await kubectl.ok([...byServer, "--force-conflicts"], deployment(other, "nginx:3", 1))).toContain(
      "deployment.apps/web serverside-applied",
    );
    const image = "-o=jsonpath={.spec.template.spec.containers[0].image}";
    expect(await kubectl.ok(["-n", other, "get", "deployment", "web", image])).toBe("nginx:3");
    await kubectl.ok(["-n", other, "rollout", "status", "deployment/web", "--timeout=60s"]);
    expect(await kubectl.ok(["delete", "namespace", other, "--timeout=60s"])).toContain(`namespace "${other}" deleted`);
  });
});
