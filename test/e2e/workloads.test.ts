import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

describe.skipIf(!hasKubectl)("workloads on simulated nodes (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 10 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("a real application of many documents comes up, and goes on a second apply unchanged", async () => {
    const manifest = readFileSync(new URL("testdata/shop.yaml", import.meta.url), "utf8");
    await kubectl.ok(["apply", "-f", "-"], manifest);
    for (const name of ["frontend", "backend", "worker"]) {
      await kubectl.ok(["-n", "shop", "rollout", "status", `deployment/${name}`, "--timeout=60s"]);
    }
    expect(await kubectl.ok(["-n", "shop", "get", "deployment", "frontend"])).toMatch(/frontend\s+3\/3\s+3\s+3/);
    expect(await kubectl.ok(["-n", "shop", "get", "svc", "frontend"])).toMatch(
      /NodePort\s+\d+\.\d+\.\d+\.\d+\s+<none>\s+80:3\d{4}\/TCP/,
    );
    await eventually(async () => {
      const slices = JSON.parse(
        await kubectl.ok(["-n", "shop", "get", "endpointslices", "-l", "kubernetes.io/service-name=frontend", "-o", "json"]),
      );
      return slices.items[0]?.endpoints?.length === 3;
    });
    expect(
      (await kubectl.run(["auth", "can-i", "get", "configmaps", "-n", "shop", "--as=system:serviceaccount:shop:shop-backend"]))
        .stdout,
    ).toBe("yes\n");
    expect(
      (await kubectl.run(["auth", "can-i", "get", "pods", "-n", "shop", "--as=system:serviceaccount:shop:shop-backend"])).stdout,
    ).toBe("no\n");
    const again = await kubectl.ok(["apply", "-f", "-"], manifest);
    const changed = again.split("\n").filter((line) => line !== "" && !/ unchanged$/.test(line) && !line.startsWith("secret/"));
    expect(changed).toEqual([]);
    await kubectl.ok(["delete", "-f", "-", "--ignore-not-found", "--timeout=90s"], manifest);
  });

  test("100 replicas on 10 nodes: ready, scaled, rolled, rolled back, restarted", async () => {
    await kubectl.ok(["create", "deployment", "big", "--image=nginx:1", "--replicas=100"]);
    await kubectl.ok(["rollout", "status", "deployment/big", "--timeout=90s"]);
    expect(await kubectl.ok(["get", "deployment", "big"])).toMatch(/big\s+100\/100\s+100\s+100/);
    const nodes = new Set(
      (await kubectl.ok(["get", "pods", "-l", "app=big", "-o", "jsonpath={.items[*].spec.nodeName}"])).split(" "),
    );
    expect(nodes.size).toBe(10);
    await kubectl.ok(["set", "image", "deployment/big", "nginx=nginx:2"]);
    await kubectl.ok(["rollout", "status", "deployment/big", "--timeout=90s"]);
    const image = () => kubectl.ok(["get", "deployment", "big", "-o", "jsonpath={.spec.template.spec.containers[0].image}"]);
    expect(await image()).toBe("nginx:2");
    expect(await kubectl.ok(["rollout", "history", "deployment/big"])).toMatch(/REVISION[\s\S]*1 [\s\S]*2 /);
    await kubectl.ok(["rollout", "undo", "deployment/big"]);
    await kubectl.ok(["rollout", "status", "deployment/big", "--timeout=90s"]);
    expect(await image()).toBe("nginx:1");
    await kubectl.ok(["scale", "deployment/big", "--replicas=20"]);
    await eventually(async () => /20\/20\s+20\s+20/.test(await kubectl.ok(["get", "deployment", "big"])));
    await kubectl.ok(["rollout", "restart", "deployment/big"]);
    await kubectl.ok(["rollout", "status", "deployment/big", "--timeout=90s"]);
    await kubectl.ok(["delete", "deployment", "big"]);
  });
});
