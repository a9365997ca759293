import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import { WebhookServer } from "../support/webhook-server.ts";

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const CONFIG_MAPS = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] }];

describe("admission webhooks", () => {
  let cluster: Cluster;
  let hooks: WebhookServer;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([startCluster({ nodes: 0 }), WebhookServer.start()]);
    ask = asker(cluster);
  });
  afterAll(async () => {
    await cluster?.stop();
    await hooks?.stop();
  });

  /** Registers webhooks of one kind, each called by its own path, for objects of one label. */
  async function register(kind: "mutating" | "validating", name: string, ...webhooks: readonly object[]): Promise<Answered> {
    const path = `${CONFIGURATIONS}/${kind}webhookconfigurations`;
    const full = webhooks.map((webhook, i) => ({
      name: `w${i}.example.com`,
      clientConfig: { url: hooks.url(`/${name}-${i}`), caBundle: hooks.caBundle },
      rules: CONFIG_MAPS,
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      objectSelector: { matchLabels: { case: name } },
      ...webhook,
    }));
    const answer = await ask("POST", path, { metadata: { name }, webhooks: full });
    expect(answer.status).toBe(201);
    return answer;
  }

  const createMap = (label: string, name = label, query = ""): Promise<Answered> =>
    ask("POST", `${MAPS}${query}`, { metadata: { name, labels: { case: label } }, data: { a: "1" } });

  test("a mutating webhook changes the object, which is told what is asked", async () => {
    hooks.on("/patches-0", () => ({ patch: [{ op: "add", path: "/data/b", value: "2" }], warnings: ["be careful"] }));
    await register("mutating", "patches", {});
    const answer = await createMap("patches", "patches", "?fieldManager=me");
    expect(answer).toMatchObject({ status: 201, body: { data: { a: "1", b: "2" } } });
    expect(answer.headers.warning).toBe('299 - "be careful"');
    const [review] = hooks.callsOf("/patches-0");
    expect(review).toMatchObject({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: {
        kind: { group: "", version: "v1", kind: "ConfigMap" },
        resource: { group: "", version: "v1", resource: "configmaps" },
        requestKind: { group: "", version: "v1", kind: "ConfigMap" },
        name: "patches",
        namespace: "default",
        operation: "CREATE",
        userInfo: { groups: ["system:masters", "system:authenticated"] },
        object: { kind: "ConfigMap", apiVersion: "v1", data: { a: "1" } },
        oldObject: null,
        dryRun: false,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me" },
      },
    });
    expect(hooks.calls[0]?.query).toBe("timeout=10s");
  });

  test("a denial is told in the webhook's words", async () => {
    hooks.on("/denies-0", () => ({ allowed: false, status: { message: "no", code: 409, reason: "Conflict" } }));
    await register("validating", "denies", {});
    expect(await createMap("denies")).toMatchObject({
      status: 409,
      body: { reason: "Conflict", message: 'admission webhook "w0.example.com" denied the request: no' },
    });
  });

  test.each([
    { name: "silent", answer: "silence" as const, says: "context deadline exceeded" },
    { name: "broken", answer: { http: 500, body: "boom" }, says: 'an error on the server ("boom") has prevented' },
    { name: "absent", answer: { http: 404, body: "" }, says: "the server could not find the requested resource" },
    { name: "confused", answer: { uid: "another" }, says: "received invalid webhook response: expected response.uid=" },
    { name: "empty", answer: { body: "{}" }, says: "webhook response was absent" },
  ])("a $name webhook fails closed or open, as its policy says", async ({ name, answer, says }) => {
    hooks.on(`/${name}-0`, () => answer);
    await register("validating", name, { timeoutSeconds: 1 });
    const refused = await createMap(name);
    expect(refused.status).toBe(500);
    expect(refused.body.message).toContain('failed calling webhook "w0.example.com": ');
    expect(refused.body.message).toContain(says);
    await ask("PATCH", `${CONFIGURATIONS}/validatingwebhookconfigurations/${name}`, [
      { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" },
    ]);
    expect((await createMap(name)).status).toBe(201);
  });

  test("a certificate of another authority is refused", async () => {
    await register("validating", "stranger", { clientConfig: { url: hooks.url("/stranger-0") } });
    expect((await createMap("stranger")).body.message).toContain(
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    );
  });

  test("webhooks run in order, and once more those that ask for it when a later one changed the object", async () => {
    const add = (key: string) => () => ({ patch: [{ op: "add", path: `/data/${key}`, value: "x" }] });
    hooks.on("/order-0", add("first"));
    hooks.on("/order-1", add("second"));
    await register("mutating", "order", { reinvocationPolicy: "IfNeeded" }, {});
    expect((await createMap("order")).body.data).toEqual({ a: "1", first: "x", second: "x" });
    const [first, again] = hooks.callsOf("/order-0");
    expect(first?.request.object.data).toEqual({ a: "1" });
    expect(again?.request.object.data).toEqual({ a: "1", first: "x", second: "x" });
    expect(hooks.callsOf("/order-1")).toHaveLength(1);
  });

  test("a patch that does not apply and one that does not fit the type are failures of the server", async () => {
    hooks.on("/misfit-0", () => ({ patch: [{ op: "replace", path: "/spec/x", value: 1 }] }));
    await register("mutating", "misfit", {});
    expect(await createMap("misfit")).toMatchObject({ status: 500, body: { reason: "InternalError" } });
    hooks.on("/misfit-0", () => ({ patch: [{ op: "add", path: "/data", value: 5 }] }));
    expect(await createMap("misfit")).toMatchObject({ status: 500, body: { reason: "InternalError" } });
  });

  test("managers that a webhook makes invalid are put back, with a warning", async () => {
    hooks.on("/managers-0", () => ({ patch: [{ op: "replace", path: "/metadata/managedFields/0/operation", value: "Steal" }] }));
    await register("mutating", "managers", {});
    const { status, headers, body } = await createMap("managers");
    expect([status, body.metadata.managedFields[0].operation]).toEqual([201, "Update"]);
    expect(headers.warning).toContain(".metadata.managedFields was in an invalid state after admission;");
  });

  test("an equivalent version is asked about in the version of the rule", async () => {
    const rules = [{ apiGroups: ["events.k8s.io"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["events"] }];
    await register("validating", "equals", { rules });
    const involvedObject = { kind: "Pod", name: "p", namespace: "default" };
    const metadata = { name: "e", labels: { case: "equals" } };
    const event = { metadata, involvedObject, reason: "r", message: "told", type: "Normal" };
    expect((await ask("POST", "/api/v1/namespaces/default/events", event)).status).toBe(201);
    expect(hooks.callsOf("/equals-0")[0]?.request).toMatchObject({
      kind: { group: "events.k8s.io", version: "v1", kind: "Event" },
      requestKind: { group: "", version: "v1", kind: "Event" },
      object: { apiVersion: "events.k8s.io/v1", note: "told" },
    });
  });

  test("subresources are sent as what they are, and deletions with what is deleted", async () => {
    const rules = [
      { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments/scale", "deployments"] },
    ];
    await register("validating", "scaled", { rules, objectSelector: {} });
    const labels = { app: "x" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    const deployments = "/apis/apps/v1/namespaces/default/deployments";
    await ask("POST", deployments, {
      metadata: { name: "d" },
      spec: { replicas: 0, selector: { matchLabels: labels }, template },
    });
    await ask("PUT", `${deployments}/d/scale`, { metadata: { name: "d" }, spec: { replicas: 2 } });
    const deleted = await ask("DELETE", `${deployments}/d`, {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: "Orphan",
    });
    expect(deleted.status).toBe(200);
    const mine = hooks.callsOf("/scaled-0").map(({ request }) => request);
    const scale = mine.find((request) => request.subResource === "scale");
    expect(scale).toMatchObject({
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      resource: { group: "apps", version: "v1", resource: "deployments" },
      object: { kind: "Scale", spec: { replicas: 2 } },
      oldObject: { kind: "Scale", spec: {} },
    });
    const deletion = mine.find((request) => request.operation === "DELETE");
    expect(deletion).toMatchObject({
      object: null,
      oldObject: { kind: "Deployment", metadata: { name: "d" } },
      options: { kind: "DeleteOptions", apiVersion: "meta.k8s.io/v1", propagationPolicy: "Orphan" },
    });
  });

  test("connections are judged before anything is looked up", async () => {
    const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CONNECT"], resources: ["pods/exec", "pods/attach"] }];
    hooks.on("/connects-0", () => ({ allowed: false, status: { message: "no entry" } }));
    await register("validating", "connects", { rules, objectSelector: {} });
    const path = "/api/v1/namespaces/default/pods/x/exec?command=ls&command=-l&stdout=true&container=c";
    expect((await ask("POST", path)).body.message).toBe('admission webhook "w0.example.com" denied the request: no entry');
    expect(hooks.callsOf("/connects-0")[0]?.request).toMatchObject({
      kind: { group: "", version: "v1", kind: "PodExecOptions" },
      subResource: "exec",
      operation: "CONNECT",
      name: "x",
      object: { kind: "PodExecOptions", apiVersion: "v1", command: ["ls", "-l"], stdout: true, container: "c" },
      options: null,
    });
  });

  test("changes of a configuration hold for the next request, and selectors are obeyed", async () => {
    hooks.on("/gone-0", () => ({ allowed: false }));
    await register("validating", "gone", { namespaceSelector: { matchLabels: { watched: "yes" } } });
    expect((await createMap("gone", "gone-1")).status).toBe(201);
    await ask("PATCH", "/api/v1/namespaces/default", [{ op: "add", path: "/metadata/labels/watched", value: "yes" }]);
    expect((await createMap("gone", "gone-2")).body.message).toBe(
      'admission webhook "w0.example.com" denied the request without explanation',
    );
    await ask("DELETE", `${CONFIGURATIONS}/validatingwebhookconfigurations/gone`);
    expect((await createMap("gone", "gone-2")).status).toBe(201);
  });

  test("a webhook behind a Service is reached through its endpoints, by the Service's name", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === "IPv4" && !each.internal)?.address;
    if (address === undefined) return;
    const behind = await WebhookServer.start(["hook.default.svc"]);
    try {
      await ask("POST", "/api/v1/namespaces/default/services", {
        metadata: { name: "hook" },
        spec: { ports: [{ port: 443, targetPort: behind.port }] },
      });
      await ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
        metadata: { name: "hook", labels: { "kubernetes.io/service-name": "hook" } },
        addressType: "IPv4",
        endpoints: [{ addresses: [address] }],
        ports: [{ name: "", port: behind.port, protocol: "TCP" }],
      });
      behind.on("/in", () => ({ allowed: false, status: { message: "reached" } }));
      const service = { name: "hook", namespace: "default", path: "/in" };
      await register("validating", "service", { clientConfig: { service, caBundle: behind.caBundle } });
      expect((await createMap("service")).body.message).toContain("denied the request: reached");
    } finally {
      await behind.stop();
    }
  });
});
