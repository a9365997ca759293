import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { hasKubectl, Kubectl, kubectlOfVersion } from "../support/kubectl.ts";

const CALICO = fileURLToPath(new URL("../integration/old-versions/calico.yaml", import.meta.url));

const THIRD_PARTY = `
apiVersion: extensions/v1beta1
kind: ThirdPartyResource
metadata: {name: cron-tab.stable.example.com, namespace: default}
description: Something that happens at times
versions: [{name: v1}]
`;

const INGRESS = (port: number): string => `
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: old}
spec: {backend: {serviceName: web, servicePort: ${port}}}
`;

const versions = ["1.20", "1.27", "1.33"].flatMap((version) => {
  const program = kubectlOfVersion(version);
  return program === undefined ? [] : [{ version, program }];
});

describe.skipIf(!hasKubectl || versions.length === 0)("kubectl and old versions (needs kubectl of some version)", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1, runtimeConfig: ["extensions/v1beta1=true"] });
  });
  afterAll(() => cluster?.stop());

  test.each(versions)("kubectl $version makes, changes, shows and deletes what guides of 2017 have", async ({ program }) => {
    using kubectl = new Kubectl(cluster.kubeconfig, program);
    const applied = await kubectl.run(["apply", "-f", CALICO]);
    expect(applied.stdout, applied.stderr).toContain("daemonset.extensions/calico-node created");
    expect(applied.stdout).toContain("replicaset.extensions/calico-policy-controller created");
    expect(applied.stderr).toContain(
      "extensions/v1beta1 DaemonSet is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 DaemonSet",
    );
    const today = await kubectl.run(["get", "daemonsets", "-n", "kube-system", "-o", "name"]);
    expect(today.stdout).toBe("daemonset.apps/calico-node\n");

    expect((await kubectl.run(["apply", "-f", "-"], INGRESS(80))).code).toBe(0);
    expect((await kubectl.run(["apply", "-f", "-"], INGRESS(81))).stdout).toContain("configured");
    const port = ["get", "ingresses.v1.networking.k8s.io", "old", "-o", "jsonpath={.spec.defaultBackend.service.port.number}"];
    expect((await kubectl.run(port)).stdout).toBe("81");

    expect((await kubectl.run(["create", "-f", "-"], THIRD_PARTY)).stdout).toContain("created");
    await kubectl.run(["wait", "--for=condition=established", "crd/crontabs.stable.example.com", "--timeout=10s"]);
    expect((await kubectl.run(["get", "thirdpartyresources", "-o", "name"])).stdout).toContain("cron-tab.stable.example.com");
    const explained = await kubectl.run(["explain", "thirdpartyresources.versions", "--api-version=extensions/v1beta1"]);
    expect(explained.stdout, explained.stderr).toContain("apiGroup");

    const objects = ["ingresses.v1beta1.extensions/old", "thirdpartyresources/cron-tab.stable.example.com"];
    for (const object of objects) {
      const deleted = await kubectl.run(["delete", object]);
      expect(deleted.stdout, deleted.stderr).toContain("deleted");
    }
    expect((await kubectl.run(["delete", "-f", CALICO])).code).toBe(0);
  });
});
