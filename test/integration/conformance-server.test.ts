import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const AGGREGATED = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };

/** What every cluster must have, by group, version and resource. */
const RESOURCES: readonly (readonly [string, string, string])[] = [
  ["", "v1", "namespaces"],
  ["admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations"],
  ["apiextensions.k8s.io", "v1", "customresourcedefinitions"],
  ["apiregistration.k8s.io", "v1", "apiservices"],
  ["apps", "v1", "deployments"],
  ["authentication.k8s.io", "v1", "tokenreviews"],
  ["authorization.k8s.io", "v1", "selfsubjectaccessreviews"],
  ["autoscaling", "v1", "horizontalpodautoscalers"],
  ["autoscaling", "v2", "horizontalpodautoscalers"],
  ["batch", "v1", "jobs"],
  ["certificates.k8s.io", "v1", "certificatesigningrequests"],
  ["coordination.k8s.io", "v1", "leases"],
  ["discovery.k8s.io", "v1", "endpointslices"],
  ["events.k8s.io", "v1", "events"],
  ["flowcontrol.apiserver.k8s.io", "v1", "flowschemas"],
  ["networking.k8s.io", "v1", "ingresses"],
  ["node.k8s.io", "v1", "runtimeclasses"],
  ["policy", "v1", "poddisruptionbudgets"],
  ["rbac.authorization.k8s.io", "v1", "clusterroles"],
  ["scheduling.k8s.io", "v1", "priorityclasses"],
  ["storage.k8s.io", "v1", "csinodes"],
];

/** Checks that every health endpoint names. */
const CHECKS = `ping log etcd poststarthook/start-apiserver-admission-initializer poststarthook/generic-apiserver-start-informers
poststarthook/start-apiextensions-informers poststarthook/start-apiextensions-controllers poststarthook/crd-informer-synced
poststarthook/start-system-namespaces-controller poststarthook/start-service-ip-repair-controllers
poststarthook/scheduling/bootstrap-system-priority-classes poststarthook/start-cluster-authentication-info-controller
poststarthook/start-kube-aggregator-informers poststarthook/apiservice-registration-controller
poststarthook/kube-apiserver-autoregistration autoregister-completion poststarthook/apiservice-openapi-controller
poststarthook/apiservice-openapiv3-controller poststarthook/apiservice-discovery-controller
poststarthook/rbac/bootstrap-roles poststarthook/priority-and-fairness-config-producer poststarthook/bootstrap-controller`.split(
  /\s+/,
);

describe("the server", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  test.each([
    ["invalid", 400],
    ["3m", 200],
    ["0s", 200],
  ])("answers a request with a timeout of %s with %d", async (timeout, status) => {
    const answer = await ask("GET", `/version?timeout=${timeout}`);
    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.text).toContain("invalid timeout specified in the request URL");
  });

  test.each(["/healthz", "/livez", "/readyz"])("names its checks at %s", async (path) => {
    const lines = (await ask("GET", `${path}?verbose=1`)).text.split("\n");
    expect(lines).toEqual(expect.arrayContaining(CHECKS.map((check) => `[+]${check} ok`)));
    expect(lines.at(-2)).toBe(`${path.slice(1)} check passed`);
    if (path === "/readyz") expect(lines).toEqual(expect.arrayContaining(["[+]informer-sync ok", "[+]shutdown ok"]));
    expect((await ask("GET", path)).text).toBe("ok");
    expect((await ask("GET", `${path}/ping`)).text).toBe("ok");
    expect((await ask("GET", `${path}?exclude=etcd&verbose`)).text).toContain("[+]etcd excluded: ok");
  });

  test("tells its version", async () => {
    expect((await ask("GET", "/version")).body).toMatchObject({
      ...{ major: "1", minor: "36", gitVersion: expect.stringMatching(/^v1\.36\.[0-9]+$/), gitTreeState: "clean" },
      ...{
        buildDate: expect.stringMatching(/Z$/),
        goVersion: expect.stringMatching(/^go1/),
        compiler: "gc",
        platform: "linux/amd64",
      },
    });
  });

  test("prefers a version that each group has", async () => {
    const { groups } = (await ask("GET", "/apis/")).body;
    expect(groups.length).toBeGreaterThanOrEqual(20);
    for (const { name } of groups) {
      const group = (await ask("GET", `/apis/${name}/`)).body;
      expect(group.versions).toContainEqual(group.preferredVersion);
    }
  });

  test.each(RESOURCES)("has %s/%s %s, alone and in the whole", async (group, version, resource) => {
    const root = group === "" ? "/api" : "/apis";
    const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    const list = (await ask("GET", path)).body;
    expect(list.groupVersion).toBe(group === "" ? version : `${group}/${version}`);
    expect(list.resources.map(({ name }: { name: string }) => name)).toContain(resource);
    const { items } = (await ask("GET", root, undefined, AGGREGATED)).body;
    const found = items
      .find(({ metadata }: { metadata: { name?: string } }) => (metadata.name ?? "") === group)
      ?.versions.find((one: { version: string }) => one.version === version)
      ?.resources.map((one: { resource: string }) => one.resource);
    expect(found).toContain(resource);
  });

  test("has neither resources nor groups that nobody made", async () => {
    expect((await ask("GET", "/apis/not-these-apps/v1")).status).toBe(404);
    expect((await ask("GET", "/apis/apps/v1/namespaces/default/please-dont-ever-create-this")).status).toBe(404);
  });

  test("speaks of custom resources in the whole as soon as they are served", async () => {
    const names = { plural: "testcrds", singular: "testcrd", kind: "testcrd", listKind: "testcrdList" };
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const versions = [{ name: "v1", served: true, storage: true, schema }];
    const spec = { group: "discovered.example.com", scope: "Namespaced", names, versions };
    await ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      metadata: { name: "testcrds.discovered.example.com" },
      spec,
    });
    await expect
      .poll(async () => JSON.stringify((await ask("GET", "/apis", undefined, AGGREGATED)).body), { timeout: 10_000 })
      .toContain('"resource":"testcrds"');
    const { resources } = (await ask("GET", "/apis/discovered.example.com/v1")).body;
    expect(resources[0]).toMatchObject({
      name: "testcrds",
      kind: "testcrd",
      storageVersionHash: expect.stringMatching(/^[A-Za-z0-9+/]{11}=$/),
    });
  });
});
