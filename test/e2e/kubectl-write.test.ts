import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

describe.skipIf(!hasKubectl)("kubectl writes (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 3 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("create makes each common kind", async () => {
    await kubectl.ok(["create", "namespace", "made"]);
    await kubectl.ok(["-n", "made", "create", "deployment", "web", "--image=nginx", "--replicas=2"]);
    await kubectl.ok(["-n", "made", "create", "secret", "generic", "s", "--from-literal=k=v"]);
    await kubectl.ok(["-n", "made", "create", "role", "r", "--verb=get", "--resource=pods"]);
    await kubectl.ok(["-n", "made", "create", "rolebinding", "rb", "--role=r", "--user=jane"]);
    await kubectl.ok(["-n", "made", "create", "job", "j", "--image=busybox", "--", "true"]);
    await kubectl.ok(["-n", "made", "create", "cronjob", "c", "--image=busybox", "--schedule=0 0 * * *", "--", "true"]);
    await kubectl.ok(["-n", "made", "create", "quota", "q", "--hard=pods=20"]);
    await kubectl.ok(["-n", "made", "create", "serviceaccount", "sa"]);
    await kubectl.ok(["-n", "made", "create", "ingress", "i", "--rule=example.com/=web:80"]);
    await kubectl.ok(["-n", "made", "create", "pdb", "p", "--selector=app=web", "--min-available=1"]);
    expect(await kubectl.ok(["-n", "made", "rollout", "status", "deployment/web", "--timeout=60s"])).toContain(
      "successfully rolled out",
    );
    const twice = await kubectl.run(["-n", "made", "create", "serviceaccount", "sa"]);
    expect(twice.stderr).toContain('serviceaccounts "sa" already exists');
  });

  test("run, expose, and the endpoints that follow", async () => {
    await kubectl.ok(["run", "solo", "--image=nginx", "--port=80", "--labels=app=solo"]);
    await kubectl.ok(["wait", "--for=condition=Ready", "pod/solo", "--timeout=60s"]);
    await kubectl.ok(["expose", "pod", "solo", "--port=80"]);
    await eventually(async () => /\d+\.\d+\.\d+\.\d+:80/.test(await kubectl.ok(["get", "endpoints", "solo"])));
    expect(await kubectl.ok(["describe", "pod", "solo"])).toMatch(/Scheduled[\s\S]*Started/);
    await kubectl.ok(["delete", "service/solo", "pod/solo"]);
    expect((await kubectl.run(["get", "pod", "solo"])).code).toBe(1);
  });

  test("label, annotate, patch of every type, and replace", async () => {
    await kubectl.ok(["create", "configmap", "cm", "--from-literal=a=1"]);
    await kubectl.ok(["label", "cm", "cm", "tier=front"]);
    expect((await kubectl.run(["label", "cm", "cm", "tier=back"])).code).toBe(1);
    await kubectl.ok(["label", "cm", "cm", "tier=back", "--overwrite"]);
    await kubectl.ok(["annotate", "cm", "cm", "note=kept"]);
    await kubectl.ok(["patch", "cm", "cm", "--type=merge", "-p", '{"data":{"b":"2"}}']);
    await kubectl.ok(["patch", "cm", "cm", "--type=json", "-p", '[{"op":"replace","path":"/data/a","value":"9"}]']);
    await kubectl.ok(["patch", "cm", "cm", "-p", '{"data":{"c":"3"}}']);
    const current = await kubectl.ok(["get", "cm", "cm", "-o", "yaml"]);
    await kubectl.ok(["replace", "-f", "-"], current.replace('b: "2"', 'b: "20"'));
    const cm = JSON.parse(await kubectl.ok(["get", "cm", "cm", "-o", "json"]));
    expect(cm.data).toEqual({ a: "9", b: "20", c: "3" });
    expect(cm.metadata.labels).toEqual({ tier: "back" });
    expect(cm.metadata.annotations).toEqual({ note: "kept" });
    const stale = await kubectl.run(["replace", "-f", "-"], current);
    expect(stale.stderr).toContain("the object has been modified; please apply your changes to the latest version and try again");
    await kubectl.ok(["label", "cm", "cm", "tier-"]);
  });

  test("a change to what is immutable is refused with the field's path", async () => {
    await kubectl.ok(["create", "deployment", "fixed", "--image=nginx"]);
    const result = await kubectl.run([
      "patch",
      "deployment",
      "fixed",
      "--type=merge",
      "-p",
      '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}',
    ]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("field is immutable");
    await kubectl.ok(["delete", "deployment", "fixed"]);
  });

  test("dry runs store nothing", async () => {
    await kubectl.ok(["create", "configmap", "ghost", "--dry-run=server"]);
    expect((await kubectl.run(["get", "cm", "ghost"])).code).toBe(1);
  });

  test("unknown fields are refused when validation is strict", async () => {
    const manifest = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"dta":{}}';
    const result = await kubectl.run(["create", "-f", "-"], manifest);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('unknown field "dta"');
  });

  test.each(["background", "foreground", "orphan"])("delete of a deployment with cascade %s", async (cascade) => {
    const name = `cascade-${cascade}`;
    await kubectl.ok(["create", "deployment", name, "--image=nginx", "--replicas=2"]);
    await kubectl.ok(["rollout", "status", `deployment/${name}`, "--timeout=60s"]);
    await kubectl.ok(["delete", "deployment", name, `--cascade=${cascade}`, "--timeout=60s"]);
    const pods = async () =>
      (await kubectl.ok(["get", "pods", "-l", `app=${name}`, "-o", "name"])).split("\n").filter(Boolean).length;
    if (cascade === "orphan") {
      expect(await pods()).toBe(2);
      await kubectl.ok(["delete", "rs,pod", "-l", `app=${name}`, "--now"]);
    }
    await eventually(async () => (await pods()) === 0);
  });

  test("a namespace goes with all that is in it", async () => {
    await kubectl.ok(["create", "namespace", "doomed"]);
    await kubectl.ok(["-n", "doomed", "create", "deployment", "web", "--image=nginx", "--replicas=3"]);
    await kubectl.ok(["-n", "doomed", "create", "configmap", "cm"]);
    await kubectl.ok(["delete", "namespace", "doomed", "--timeout=60s"]);
    expect((await kubectl.run(["get", "ns", "doomed"])).code).toBe(1);
  });

  test("cordon, taint and drain of a node", async () => {
    await kubectl.ok(["create", "deployment", "movable", "--image=nginx", "--replicas=6"]);
    await kubectl.ok(["rollout", "status", "deployment/movable", "--timeout=60s"]);
    const node = (await kubectl.ok(["get", "pods", "-l", "app=movable", "-o", "jsonpath={.items[0].spec.nodeName}"])).trim();
    await kubectl.ok(["cordon", node]);
    expect(await kubectl.ok(["get", "node", node])).toContain("Ready,SchedulingDisabled");
    await kubectl.ok(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s"]);
    const left = await kubectl.ok([
      "get",
      "pods",
      "-l",
      "app=movable",
      "--field-selector",
      `spec.nodeName=${node}`,
      "-o",
      "name",
    ]);
    expect(left).toBe("");
    await kubectl.ok(["rollout", "status", "deployment/movable", "--timeout=60s"]);
    await kubectl.ok(["uncordon", node]);
    await kubectl.ok(["taint", "node", node, "dedicated=db:NoSchedule"]);
    expect(await kubectl.ok(["get", "node", node, "-o", "jsonpath={.spec.taints[0].key}"])).toBe("dedicated");
    await kubectl.ok(["taint", "node", node, "dedicated-"]);
  });
});
