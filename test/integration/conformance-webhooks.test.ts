import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import { WebhookServer } from "../support/webhook-server.ts";

const ROOT = "/apis/admissionregistration.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const rule = (group: string, resource: string, ...operations: string[]) => ({
  apiGroups: [group],
  apiVersions: ["*"],
  operations: operations.length === 0 ? ["CREATE"] : operations,
  resources: [resource],
});

describe("webhooks", () => {
  let cluster: Cluster;
  let hooks: WebhookServer;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([startCluster({ nodes: 0 }), WebhookServer.start()]);
    ask = asker(cluster);
    const schema = {
      openAPIV3Schema: { type: "object", properties: { data: { type: "object", additionalProperties: { type: "string" } } } },
    };
    const versions = [{ name: "v1", served: true, storage: true, schema }];
    const names = { plural: "hookeds", kind: "Hooked" };
    await ask("POST", DEFINITIONS, {
      metadata: { name: "hookeds.example.com" },
      spec: { group: "example.com", scope: "Namespaced", names, versions },
    });
    await vi.waitFor(async () => expect((await ask("GET", CUSTOM)).status).toBe(200), { timeout: 10_000 });
  });
  afterAll(async () => {
    await cluster?.stop();
    await hooks?.stop();
  });

  const CUSTOM = "/apis/example.com/v1/namespaces/default/hookeds";
  const custom = (name: string, data: object) => ({ apiVersion: "example.com/v1", kind: "Hooked", metadata: { name }, data });
  const configure = (kind: "mutating" | "validating", name: string, ...webhooks: object[]): Promise<Answered> =>
    ask("POST", `${ROOT}/${kind}webhookconfigurations`, {
      metadata: { name, labels: { case: name } },
      webhooks: webhooks.map((webhook, i) => ({
        name: `w${i}.example.com`,
        clientConfig: { url: hooks.url(`/${name}-${i}`), caBundle: hooks.caBundle },
        rules: [rule("", "configmaps")],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        ...webhook,
      })),
    });
  const drop = (kind: "mutating" | "validating", name: string) => ask("DELETE", `${ROOT}/${kind}webhookconfigurations/${name}`);
  const labelled = (name: string) => ({ objectSelector: { matchLabels: { case: name } } });
  const map = (name: string, data: object = {}, label = name) => ({ metadata: { name, labels: { case: label } }, data });

  test("deny custom resources that are made, changed or removed", async () => {
    hooks.on("/cr-0", ({ request }) => {
      const { data = {} } = request.object ?? request.oldObject;
      return {
        allowed: !Object.values(data).includes("disallow"),
        status: { message: "the custom resource contains unwanted data" },
      };
    });
    await configure("validating", "cr", { rules: [rule("example.com", "hookeds", "CREATE", "UPDATE", "DELETE")] });
    const denied = await ask("POST", CUSTOM, custom("no", { k: "disallow" }));
    expect(denied.status).toBe(400);
    expect(denied.body.message).toBe(
      'admission webhook "w0.example.com" denied the request: the custom resource contains unwanted data',
    );
    expect((await ask("POST", CUSTOM, custom("yes", { k: "allow" }))).status).toBe(201);
    expect((await ask("PATCH", `${CUSTOM}/yes`, { data: { k: "disallow" } })).status).toBe(400);
    await drop("validating", "cr");
    await ask("PATCH", `${CUSTOM}/yes`, { data: { k: "disallow" } });
    await configure("validating", "cr", { rules: [rule("example.com", "hookeds", "CREATE", "UPDATE", "DELETE")] });
    expect((await ask("DELETE", `${CUSTOM}/yes`)).status).toBe(400);
    await drop("validating", "cr");
    expect((await ask("DELETE", `${CUSTOM}/yes`)).status).toBe(200);
  });

  test("refuse everything where they cannot be asked and failure is closed", async () => {
    const clientConfig = { url: "https://127.0.0.1:1/none", caBundle: hooks.caBundle };
    await configure("validating", "closed", { clientConfig, failurePolicy: "Fail", ...labelled("closed") });
    const refused = await ask("POST", MAPS, map("closed"));
    expect(refused).toMatchObject({ status: 500, body: { reason: "InternalError" } });
    expect(refused.body.message).toContain('failed calling webhook "w0.example.com"');
    await drop("validating", "closed");
  });

  test("neither change nor keep from going the configurations of webhooks", async () => {
    const rules = [rule("admissionregistration.k8s.io", "*", "CREATE", "UPDATE", "DELETE")];
    hooks.on("/self-0", ({ request }) =>
      request.operation === "DELETE"
        ? { allowed: false }
        : { patch: [{ op: "add", path: "/metadata/labels/changed", value: "yes" }] },
    );
    await configure("validating", "self", { rules });
    await configure("mutating", "self", { rules });
    const made = await configure("validating", "other", {});
    expect(made.body.metadata.labels).toEqual({ case: "other" });
    for (const kind of ["validating", "mutating"] as const) expect((await drop(kind, "self")).status).toBe(200);
    expect((await drop("validating", "other")).status).toBe(200);
  });

  test("change custom resources one after the other, and what the schema does not know is pruned from it", async () => {
    hooks.on("/chain-0", () => ({ patch: [{ op: "add", path: "/data/first", value: "yes" }] }));
    hooks.on("/chain-1", ({ request }) => ({
      patch:
        request.object.data.first === "yes"
          ? [
              { op: "add", path: "/data/second", value: "yes" },
              { op: "add", path: "/unknown", value: "x" },
            ]
          : [],
    }));
    const rules = [rule("example.com", "hookeds", "CREATE")];
    await configure("mutating", "chain", { rules }, { rules });
    const made = await ask("POST", CUSTOM, custom("chained", { own: "1" }));
    expect(made.body.data).toEqual({ own: "1", first: "yes", second: "yes" });
    expect(made.body.unknown).toBeUndefined();
    await drop("mutating", "chain");
  });

  test("change pods before their defaults are set", async () => {
    hooks.on("/pods-0", () => ({
      patch: [
        {
          op: "add",
          path: "/spec/initContainers",
          value: [{ image: "webhook-added-image", name: "webhook-added-init-container", resources: {} }],
        },
      ],
    }));
    await configure("mutating", "pods", { rules: [rule("", "pods")], ...labelled("pods") });
    const pod = { metadata: { name: "pods", labels: { case: "pods" } }, spec: { containers: [{ name: "c", image: "i" }] } };
    const { body } = await ask("POST", "/api/v1/namespaces/default/pods", pod);
    expect(body.spec.initContainers).toMatchObject([
      { name: "webhook-added-init-container", terminationMessagePolicy: "File", imagePullPolicy: "Always" },
    ]);
    await drop("mutating", "pods");
  });

  test("deny definitions", async () => {
    hooks.on("/crd-0", () => ({ allowed: false, status: { message: "the crd contains unwanted label" } }));
    await configure("validating", "crd", { rules: [rule("apiextensions.k8s.io", "*")], ...labelled("crd") });
    const names = { plural: "denieds", kind: "Denied" };
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }];
    const spec = { group: "example.com", scope: "Cluster", names, versions };
    const answer = await ask("POST", DEFINITIONS, { metadata: { name: "denieds.example.com", labels: { case: "crd" } }, spec });
    expect(answer.body.message).toContain("the crd contains unwanted label");
    await drop("validating", "crd");
  });

  test.each([
    ["Fail", 1, 500],
    ["Ignore", 1, 201],
    ["Fail", 30, 201],
  ])("that are slow end by their timeout (%s, %d s)", async (failurePolicy, timeoutSeconds, status) => {
    const name = `slow-${failurePolicy.toLowerCase()}-${timeoutSeconds}`;
    hooks.on(`/${name}-0`, () => (timeoutSeconds === 1 ? "silence" : { allowed: true }));
    await configure("validating", name, { failurePolicy, timeoutSeconds, ...labelled(name) });
    const answer = await ask("POST", MAPS, map(name));
    expect(answer.status).toBe(status);
    if (status === 500) expect(answer.body.message).toContain("context deadline exceeded");
    await drop("validating", name);
  });

  test.each(["validating", "mutating"] as const)("%s hold by the rules and conditions that they have now", async (kind) => {
    const name = `changing-${kind}`;
    hooks.on(`/${name}-0`, () =>
      kind === "validating" ? { allowed: false } : { patch: [{ op: "add", path: "/data", value: { changed: "yes" } }] },
    );
    await configure(kind, name, labelled(name));
    const path = `${ROOT}/${kind}webhookconfigurations/${name}`;
    let count = 0;
    const isCalled = async (): Promise<boolean> => {
      const { status, body } = await ask("POST", MAPS, map(`${name}-${++count}`, {}, name));
      return status !== 201 || body.data?.changed === "yes";
    };
    const becomes = (called: boolean) => vi.waitFor(async () => expect(await isCalled()).toBe(called), { timeout: 10_000 });
    await becomes(true);
    const { body } = await ask("GET", path);
    body.webhooks[0].rules[0].operations = ["UPDATE"];
    expect((await ask("PUT", path, body)).status).toBe(200);
    await becomes(false);
    await ask("PATCH", path, [{ op: "replace", path: "/webhooks/0/rules/0/operations", value: ["CREATE"] }]);
    await becomes(true);
    const skip = { name: "no-skip-me", expression: `object.metadata.name.startsWith("${name}") && false` };
    await ask("PATCH", path, [{ op: "add", path: "/webhooks/0/matchConditions", value: [skip] }]);
    await becomes(false);
    const invalid = await ask("PATCH", path, [
      { op: "add", path: "/webhooks/0/matchConditions", value: [{ name: "bad", expression: "..." }] },
    ]);
    expect(invalid.status).toBe(422);
    expect(invalid.body.message).toContain("compilation failed");
    expect((await ask("DELETE", `${ROOT}/${kind}webhookconfigurations?labelSelector=case%3D${name}`)).status).toBe(200);
    await becomes(false);
  });

  test("are in the documents of discovery", async () => {
    const { groups } = (await ask("GET", "/apis")).body;
    const group = groups.find(({ name }: { name: string }) => name === "admissionregistration.k8s.io");
    expect(group.versions).toContainEqual({ groupVersion: "admissionregistration.k8s.io/v1", version: "v1" });
    const { resources } = (await ask("GET", ROOT)).body;
    const names = resources.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]));
  });
});
