import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { WebhookServer } from "../support/webhook-server.ts";

const FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";
const DUMPS = "/debug/api_priority_and_fairness";

describe("priority and fairness", () => {
  let cluster: Cluster;
  let hooks: WebhookServer;
  let ask: ReturnType<typeof asker>;

  beforeAll(async () => {
    [cluster, hooks] = await Promise.all([startCluster({ nodes: 0 }), WebhookServer.start()]);
    ask = asker(cluster);
    await ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "all" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:authenticated" }],
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    await hooks?.stop();
  });

  const uidOf = async (resource: string, name: string): Promise<string> =>
    (await ask("GET", `${FLOW}/${resource}/${name}`)).body.metadata.uid;

  test("every answer names its flow schema and priority level", async () => {
    const admin = await ask("GET", MAPS);
    expect(admin.headers["x-kubernetes-pf-flowschema-uid"]).toBe(await uidOf("flowschemas", "exempt"));
    expect(admin.headers["x-kubernetes-pf-prioritylevel-uid"]).toBe(await uidOf("prioritylevelconfigurations", "exempt"));
    const alice = await ask("GET", MAPS, undefined, { "impersonate-user": "alice" });
    expect(alice.headers["x-kubernetes-pf-flowschema-uid"]).toBe(await uidOf("flowschemas", "global-default"));
    const missing = await ask("GET", "/nothing", undefined, { "impersonate-user": "alice" });
    expect(missing.status).toBe(404);
    expect(missing.headers["x-kubernetes-pf-flowschema-uid"]).toBe(await uidOf("flowschemas", "global-default"));
  });

  test("a level that is full refuses its own requests and nobody else's, and its state can be looked at", async () => {
    const limited = {
      nominalConcurrencyShares: 1,
      lendablePercent: 0,
      borrowingLimitPercent: 0,
      limitResponse: { type: "Reject" },
    };
    await ask("POST", `${FLOW}/prioritylevelconfigurations`, {
      metadata: { name: "narrow" },
      spec: { type: "Limited", limited },
    });
    const all = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true };
    await ask("POST", `${FLOW}/flowschemas`, {
      metadata: { name: "mallory" },
      spec: {
        matchingPrecedence: 700,
        priorityLevelConfiguration: { name: "narrow" },
        rules: [{ subjects: [{ kind: "User", user: { name: "mallory" } }], resourceRules: [all] }],
      },
    });
    hooks.on("/slow", () => "silence");
    await ask("POST", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", {
      metadata: { name: "slow" },
      webhooks: [
        {
          name: "slow.example.com",
          clientConfig: { url: hooks.url("/slow"), caBundle: hooks.caBundle },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
          objectSelector: { matchLabels: { slow: "yes" } },
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          timeoutSeconds: 4,
        },
      ],
    });
    const as = { "impersonate-user": "mallory" };
    const slow = Array.from({ length: 12 }, (_, i) =>
      ask("POST", MAPS, { metadata: { name: `slow-${i}`, labels: { slow: "yes" } } }, as),
    );
    while (hooks.calls.length === 0) await ask("GET", MAPS, undefined, { "impersonate-user": "alice" });
    const dump = await ask("GET", `${DUMPS}/dump_priority_levels`);
    expect(dump.text.split("\n")[0]).toMatch(/^PriorityLevelName, +ActiveQueues, IsIdle, +IsQuiescing, WaitingRequests,/);
    const running = Number(/narrow, +0, +false, +false, +0, +(\d+),/.exec(dump.text)?.[1]);
    expect(running).toBeGreaterThan(0);
    const requests = await ask("GET", `${DUMPS}/dump_requests?includeRequestDetails=1`);
    expect(requests.text).toContain("mallory");
    const answers = await Promise.all(slow);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(slow.length - running);
    expect(refused[0]).toMatchObject({
      text: "Too many requests, please try again later.\n",
      headers: { "retry-after": "1", "content-type": "text/plain; charset=utf-8" },
    });
    expect(answers.filter(({ status }) => status === 500)).toHaveLength(running);
    expect((await ask("GET", MAPS, undefined, as)).status).toBe(200);
    const metrics = await ask("GET", "/metrics");
    const labels = 'flow_schema="mallory",priority_level="narrow"';
    expect(metrics.text).toContain(
      `apiserver_flowcontrol_rejected_requests_total{${labels},reason="concurrency-limit"} ${refused.length}`,
    );
    expect(metrics.text).toContain(`apiserver_flowcontrol_nominal_limit_seats{priority_level="narrow"} ${running}`);
  });
});
