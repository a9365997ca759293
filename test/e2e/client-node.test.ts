import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually } from "../support/kubectl.ts";

describe("@kubernetes/client-node", () => {
  let cluster: Cluster;
  let config: KubeConfig;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1 });
    config = new KubeConfig();
    config.loadFromString(cluster.kubeconfig);
  });
  afterAll(async () => {
    await cluster?.stop();
  });

  test("creates, reads, patches and deletes", async () => {
    const core = config.makeApiClient(CoreV1Api);
    await core.createNamespacedConfigMap({ namespace: "default", body: { metadata: { name: "cm" }, data: { a: "1" } } });
    expect((await core.readNamespacedConfigMap({ namespace: "default", name: "cm" })).data).toEqual({ a: "1" });
    const patched = await core.patchNamespacedConfigMap(
      { namespace: "default", name: "cm", body: { data: { b: "2" } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
    expect(patched.data).toEqual({ a: "1", b: "2" });
    const listed = await core.listNamespacedConfigMap({ namespace: "default", labelSelector: "none=such" });
    expect(listed.items).toEqual([]);
    await core.deleteNamespacedConfigMap({ namespace: "default", name: "cm" });
    await expect(core.readNamespacedConfigMap({ namespace: "default", name: "cm" })).rejects.toMatchObject({ code: 404 });
  });

  test("its informer sees every change", async () => {
    const core = config.makeApiClient(CoreV1Api);
    const informer = makeInformer<V1ConfigMap>(config, "/api/v1/namespaces/default/configmaps", () =>
      core.listNamespacedConfigMap({ namespace: "default" }),
    );
    const seen: string[] = [];
    informer.on("add", (cm) => seen.push(`add ${cm.metadata?.name}`));
    informer.on("update", (cm) => seen.push(`update ${cm.metadata?.name} ${cm.data?.v}`));
    informer.on("delete", (cm) => seen.push(`delete ${cm.metadata?.name}`));
    await informer.start();
    try {
      await core.createNamespacedConfigMap({ namespace: "default", body: { metadata: { name: "watched" }, data: { v: "1" } } });
      await core.replaceNamespacedConfigMap({
        namespace: "default",
        name: "watched",
        body: { metadata: { name: "watched" }, data: { v: "2" } },
      });
      await core.deleteNamespacedConfigMap({ namespace: "default", name: "watched" });
      await eventually(() => seen.includes("delete watched"));
      expect(seen.filter((line) => line.includes("watched"))).toEqual(["add watched", "update watched 2", "delete watched"]);
    } finally {
      await informer.stop();
    }
  });

  test("a deployment becomes available", async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const labels = { app: "web" };
    await apps.createNamespacedDeployment({
      namespace: "default",
      body: {
        metadata: { name: "web" },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx" }] } },
        },
      },
    });
    await eventually(
      async () => (await apps.readNamespacedDeployment({ namespace: "default", name: "web" })).status?.availableReplicas === 2,
    );
  });
});
