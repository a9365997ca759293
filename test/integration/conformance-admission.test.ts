import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { startWatch } from "../support/watch.ts";

const ROOT = "/apis/admissionregistration.k8s.io";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const RULES = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["deployments"] }];
const MATCH = { resourceRules: RULES, namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } } };

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was answered.
type Any = any;

describe("admission", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  const deployment = (name: string, replicas: number) => ({
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  });
  const attempt = async (name: string, replicas: number): Promise<Any> => {
    const answer = await ask("POST", DEPLOYMENTS, deployment(name, replicas));
    if (answer.status === 201) await ask("DELETE", `${DEPLOYMENTS}/${name}`);
    return answer;
  };

  describe.each(["v1"])("by validating policies of %s", (version) => {
    const policies = `${ROOT}/${version}/validatingadmissionpolicies`;
    const policy = (name: string, spec: object) =>
      ask("POST", policies, { metadata: { name }, spec: { matchConstraints: MATCH, ...spec } });
    const bind = (name: string) =>
      ask("POST", `${policies.replace("policies", "policybindings")}`, {
        metadata: { name },
        spec: { policyName: name, validationActions: ["Deny"] },
      });
    const unbind = async (name: string): Promise<void> => {
      await ask("DELETE", `${policies.replace("policies", "policybindings")}/${name}`);
      await ask("DELETE", `${policies}/${name}`);
      await vi.waitFor(async () => expect((await attempt("marker", 1)).status).toBe(201), { timeout: 20_000 });
    };

    test("refuses what an expression refuses, with its message", async () => {
      await policy("replicas.example.com", {
        validations: [
          {
            expression: "object.spec.replicas > 1",
            messageExpression: "'wants replicas > 1, got ' + string(object.spec.replicas)",
          },
          { expression: "namespaceObject.metadata.name == 'default'", message: "another namespace" },
        ],
      });
      await bind("replicas.example.com");
      await vi.waitFor(async () => expect((await attempt("marker", 1)).status).toBe(422), { timeout: 20_000 });
      const { body } = await attempt("marker", 1);
      expect(body).toMatchObject({ reason: "Invalid", details: { kind: "deployments", group: "apps", name: "marker" } });
      expect(body.message).toContain(
        "ValidatingAdmissionPolicy 'replicas.example.com' with binding 'replicas.example.com' denied request: wants replicas > 1, got 1",
      );
      expect((await attempt("replicated", 2)).status).toBe(201);
      const sets = "/apis/apps/v1/namespaces/default/replicasets";
      expect((await ask("POST", sets, deployment("alone", 1))).status).toBe(201);
      await unbind("replicas.example.com");
    });

    test("knows variables that stand on others", async () => {
      await policy("variables.example.com", {
        variables: [
          { name: "replicas", expression: "object.spec.replicas" },
          { name: "rest", expression: "variables.replicas % 2" },
        ],
        validations: [{ expression: "variables.replicas > 1 && variables.rest == 1" }],
      });
      await bind("variables.example.com");
      await vi.waitFor(async () => expect((await attempt("marker", 1)).status).toBe(422), { timeout: 20_000 });
      expect((await attempt("even", 2)).status).toBe(422);
      expect((await attempt("odd", 3)).status).toBe(201);
      await unbind("variables.example.com");
    });

    test("checks the types of expressions, and warns", async () => {
      const checked = async (name: string): Promise<Any> => {
        let status: Any;
        await vi.waitFor(
          async () => {
            status = (await ask("GET", `${policies}/${name}`)).body.status;
            expect(status?.typeChecking).toBeDefined();
          },
          { timeout: 10_000 },
        );
        return status.typeChecking;
      };
      await policy("right.example.com", { validations: [{ expression: "object.spec.replicas > 1" }] });
      expect((await checked("right.example.com")).expressionWarnings ?? []).toEqual([]);
      await policy("wrong.example.com", {
        validations: [
          { expression: "object.spec.replicas > '1'", messageExpression: "'wants replicas > 1, got ' + object.spec.replicas" },
        ],
      });
      const { expressionWarnings } = await checked("wrong.example.com");
      expect(expressionWarnings).toMatchObject([
        {
          fieldRef: "spec.validations[0].expression",
          warning: expect.stringContaining("found no matching overload for '_>_' applied to '(int, string)'"),
        },
        {
          fieldRef: "spec.validations[0].messageExpression",
          warning: expect.stringContaining("found no matching overload for '_+_' applied to '(string, int)'"),
        },
      ]);
    });
  });

  test("by a mutating policy annotates what is made", async () => {
    const policies = `${ROOT}/v1/mutatingadmissionpolicies`;
    const expression = 'Object{metadata: Object.metadata{annotations: {"mutated-by": "policy"}}}';
    const spec = {
      matchConstraints: MATCH,
      reinvocationPolicy: "Never",
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    };
    expect((await ask("POST", policies, { metadata: { name: "annotate.example.com" }, spec })).status).toBe(201);
    const binding = { metadata: { name: "annotate.example.com" }, spec: { policyName: "annotate.example.com" } };
    expect((await ask("POST", `${ROOT}/v1/mutatingadmissionpolicybindings`, binding)).status).toBe(201);
    await vi.waitFor(
      async () => expect((await attempt("annotated", 1)).body.metadata.annotations).toMatchObject({ "mutated-by": "policy" }),
      { timeout: 20_000 },
    );
    await ask("DELETE", `${ROOT}/v1/mutatingadmissionpolicybindings/annotate.example.com`);
  });

  const hook = {
    name: "hook.example.com",
    clientConfig: { url: "https://127.0.0.1:1/" },
    rules: [{ apiGroups: ["none.example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] }],
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
  };
  const expression = 'Object{metadata: Object.metadata{annotations: {"a": "b"}}}';
  const mutations = [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }];
  test.each<[string, object, object]>([
    [
      "validatingadmissionpolicies",
      { spec: { matchConstraints: MATCH, validations: [{ expression: "true" }] } },
      { spec: { failurePolicy: "Ignore" } },
    ],
    [
      "validatingadmissionpolicybindings",
      { spec: { policyName: "none", validationActions: ["Deny"] } },
      { spec: { policyName: "other" } },
    ],
    [
      "mutatingadmissionpolicies",
      { spec: { matchConstraints: MATCH, reinvocationPolicy: "Never", mutations } },
      { spec: { failurePolicy: "Ignore" } },
    ],
    ["mutatingadmissionpolicybindings", { spec: { policyName: "none" } }, { spec: { policyName: "other" } }],
    ["validatingwebhookconfigurations", { webhooks: [hook] }, { metadata: { annotations: { also: "yes" } } }],
    ["mutatingwebhookconfigurations", { webhooks: [hook] }, { metadata: { annotations: { also: "yes" } } }],
  ])("keeps %s as any other resource", async (plural, body, change) => {
    const root = `${ROOT}/v1/${plural}`;
    const labelled = `${root}?labelSelector=${encodeURIComponent("test=crud")}`;
    const template = { metadata: { generateName: "crud-", labels: { test: "crud" } }, ...body };
    const made = [1, 2, 3].map(() => ask("POST", root, template));
    const [one] = (await Promise.all(made)).map((answer) => answer.body);
    const path = `${root}/${one.metadata.name}`;
    expect((await ask("GET", path)).body.metadata.uid).toBe(one.metadata.uid);
    const list = (await ask("GET", labelled)).body;
    expect(list.items).toHaveLength(3);
    using watching = await startWatch(cluster, `${labelled}&watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    const patched = await ask("PATCH", path, { metadata: { annotations: { patched: "true" } }, ...change });
    expect(patched.body).toMatchObject(change);
    const annotations = { ...patched.body.metadata.annotations, updated: "true" };
    // A controller may write its status in between.
    await vi.waitFor(
      async () => {
        const { body: now } = await ask("GET", path);
        const updated = await ask("PUT", path, { ...now, metadata: { ...now.metadata, annotations } });
        expect(updated.body.metadata.annotations).toEqual(annotations);
      },
      { timeout: 20_000 },
    );
    await vi.waitFor(() => expect(watching.events.at(-1)?.object.metadata.annotations).toEqual(annotations), { timeout: 20_000 });
    expect((await ask("DELETE", path)).status).toBe(200);
    expect((await ask("GET", labelled)).body.items).toHaveLength(2);
    expect((await ask("DELETE", labelled)).status).toBe(200);
    expect((await ask("GET", labelled)).body.items).toEqual([]);
  });
});
