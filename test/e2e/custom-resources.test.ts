import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { eventually, hasKubectl, Kubectl } from "../support/kubectl.ts";

const CRON_TABS = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all] }
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }
      additionalPrinterColumns:
        - { name: Spec, type: string, jsonPath: .spec.cronSpec }
        - { name: Replicas, type: integer, jsonPath: .spec.replicas }
        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
      selectableFields: [{ jsonPath: .spec.image }]
      schema:
        openAPIV3Schema:
          type: object
          description: CronTab runs something now and then.
          properties:
            spec:
              type: object
              required: [cronSpec]
              properties:
                cronSpec: { type: string, description: When it runs., pattern: '^(\\S+ ){4}\\S+$' }
                image: { type: string, default: busybox }
                replicas: { type: integer, minimum: 0, maximum: 10, default: 1 }
            status:
              type: object
              properties: { replicas: { type: integer } }
`;

const CRON_TAB = `
apiVersion: stable.example.com/v1
kind: CronTab
metadata: { name: nightly }
spec: { cronSpec: "0 3 * * *" }
`;

describe.skipIf(!hasKubectl)("kubectl with custom resources (needs kubectl on the PATH)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("a definition is established and found", async () => {
    await kubectl.ok(["create", "-f", "-"], CRON_TABS);
    await kubectl.ok(["wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=30s"]);
    await eventually(async () => /ct +stable.example.com\/v1/.test(await kubectl.ok(["api-resources"])));
    await eventually(async () => (await kubectl.run(["get", "crontabs"])).stderr.includes("No resources found"));
  });

  test("explain tells its fields", async () => {
    const text = await kubectl.ok(["explain", "crontab.spec.cronSpec"]);
    expect(text).toContain("KIND:       CronTab");
    expect(text).toContain("When it runs.");
    expect(await kubectl.ok(["explain", "ct"])).toContain("CronTab runs something now and then.");
  });

  test("objects are created, defaulted, refused, selected and shown", async () => {
    await kubectl.ok(["create", "-f", "-"], CRON_TAB);
    const made = JSON.parse(await kubectl.ok(["get", "ct", "nightly", "-o", "json"]));
    expect(made.spec).toEqual({ cronSpec: "0 3 * * *", image: "busybox", replicas: 1 });
    const bad = await kubectl.run(["create", "-f", "-"], CRON_TAB.replace("nightly", "bad").replace("0 3 * * *", "at night"));
    expect(bad.stderr).toContain("spec.cronSpec in body should match '^(\\S+ ){4}\\S+$'");
    const unknown = await kubectl.run(["create", "-f", "-"], CRON_TAB.replace("spec:", "spec2: {}\nspec:"));
    expect(unknown.stderr).toContain('unknown field "spec2"');
    expect(await kubectl.ok(["get", "ct"])).toMatch(/NAME +SPEC +REPLICAS +AGE\nnightly +0 3 \* \* \* +1 +\S+/);
    expect(await kubectl.ok(["get", "ct", "--field-selector=spec.image=busybox", "-o", "name"])).toContain("nightly");
    expect(await kubectl.ok(["describe", "ct", "nightly"])).toMatch(/Cron Spec: +0 3 \* \* \*/);
    expect(await kubectl.ok(["get", "all"])).toContain("crontab.stable.example.com/nightly");
  });

  test("objects are patched, applied, scaled and get a status", async () => {
    await kubectl.ok(["patch", "ct", "nightly", "--type=merge", "-p", '{"spec":{"image":"nginx"}}']);
    const apply = ["apply", "--server-side", "--field-manager=test", "-f", "-"];
    const later = CRON_TAB.replace("0 3", "5 3");
    expect((await kubectl.run(apply, later)).stderr).toContain('conflict with "kubectl-create"');
    await kubectl.ok([...apply, "--force-conflicts"], later);
    await kubectl.ok(["scale", "ct/nightly", "--replicas=3"]);
    const tooMany = await kubectl.run(["scale", "ct/nightly", "--replicas=11"]);
    expect(tooMany.stderr).toContain("should be less than or equal to 10");
    await kubectl.ok(["patch", "ct", "nightly", "--subresource=status", "--type=merge", "-p", '{"status":{"replicas":2}}']);
    const now = JSON.parse(await kubectl.ok(["get", "ct", "nightly", "-o", "json"]));
    expect(now.spec).toEqual({ cronSpec: "5 3 * * *", image: "nginx", replicas: 3 });
    expect(now.status).toEqual({ replicas: 2 });
  });

  test("the definition goes with its objects", async () => {
    await kubectl.ok(["delete", "crd", "crontabs.stable.example.com", "--timeout=30s"]);
    expect((await kubectl.run(["get", "crontabs"])).stderr).toContain("could not find the requested resource");
    expect(await kubectl.ok(["api-resources", "--cached=false"])).not.toContain("crontabs");
    expect(await kubectl.ok(["get", "--raw", "/openapi/v3"])).not.toContain("stable.example.com");
  });
});
