import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { createAuthority, issueCertificate } from "#pki/certificate.ts";
import { type GuardedAnswer, GuardedServer } from "../support/guarded-server.ts";
import { WebhookServer } from "../support/webhook-server.ts";

const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What `--admission-control-config-file` says to plugins of which requests show that they heard it. */
let dir: string;
let hooks: WebhookServer;
let server: GuardedServer;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "kybern-admission-configuration-"));
  hooks = await WebhookServer.start();
  const now = realClock.now();
  const request = { commonName: "the-api-server", organizations: [], usages: ["client"] as const };
  const client = issueCertificate(createAuthority("clients", now), request, now);
  const certificate = { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) };
  const kubeConfigFile = join(dir, "webhooks.kubeconfig");
  const users = [
    { name: `127.0.0.1:${hooks.port}`, user: certificate },
    { name: "*", user: { token: "for-all" } },
  ];
  writeFileSync(kubeConfigFile, JSON.stringify({ kind: "Config", apiVersion: "v1", users }));
  const group = "apiserver.config.k8s.io/v1";
  const limitedResources = [
    { resource: "pods", matchScopes: [{ scopeName: "PriorityClass", operator: "In", values: ["system-cluster-critical"] }] },
    { resource: "services", matchContains: ["services.loadbalancers"] },
  ];
  const plugins = [
    { name: "ResourceQuota", configuration: { apiVersion: group, kind: "ResourceQuotaConfiguration", limitedResources } },
    {
      name: "ValidatingAdmissionWebhook",
      configuration: { apiVersion: group, kind: "WebhookAdmissionConfiguration", kubeConfigFile },
    },
  ];
  const configFile = join(dir, "admission.json");
  writeFileSync(configFile, JSON.stringify({ apiVersion: group, kind: "AdmissionConfiguration", plugins }));
  server = await GuardedServer.start({ admission: { configFile, disable: ["ServiceAccount"] } });
});
afterAll(async () => {
  await server?.stop();
  await hooks?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const ask = (method: string, path: string, body?: object): Promise<GuardedAnswer> => server.ask(server.admin, method, path, body);

async function register(kind: "mutating" | "validating", url: string): Promise<void> {
  const name = `${kind}.example.com`;
  await server.made(`${REGISTRATION}/${kind}webhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name,
        clientConfig: { url, caBundle: hooks.caBundle },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }],
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
      },
    ],
  });
}

test("a webhook is shown what the kubeconfig of its plugin holds for its host, and one of the other plugin nothing", async () => {
  const caller = (path: string): object | undefined => hooks.calls.find((call) => call.path === path)?.caller;
  await register("validating", hooks.url("/by-address"));
  await register("mutating", hooks.url("/of-another-plugin"));
  await server.made("/api/v1/namespaces/default/configmaps", { metadata: { name: "first" } });
  expect(caller("/by-address")).toEqual({ commonName: "the-api-server" });
  expect(caller("/of-another-plugin")).toEqual({});
  const renamed = [{ op: "replace", path: "/webhooks/0/clientConfig/url", value: `https://localhost:${hooks.port}/by-star` }];
  const path = `${REGISTRATION}/validatingwebhookconfigurations/validating.example.com`;
  expect((await ask("PATCH", path, renamed)).status).toBe(200);
  await server.made("/api/v1/namespaces/default/configmaps", { metadata: { name: "second" } });
  expect(caller("/by-star")).toEqual({ authorization: "Bearer for-all" });
});

test("what is limited needs a quota that covers it", async () => {
  const services = "/api/v1/namespaces/default/services";
  const balanced = { metadata: { name: "s" }, spec: { type: "LoadBalancer", ports: [{ port: 80 }] } };
  const refused = await ask("POST", services, balanced);
  expect(refused.status).toBe(403);
  expect(refused.body.message).toBe('services "s" is forbidden: insufficient quota to consume: services.loadbalancers');
  const critical = {
    metadata: { name: "p" },
    spec: { priorityClassName: "system-cluster-critical", containers: [{ name: "c", image: "i" }] },
  };
  const unmatched = await ask("POST", "/api/v1/namespaces/default/pods", critical);
  expect(unmatched.status).toBe(500);
  expect(unmatched.body.message).toBe("insufficient quota to match these scopes: [{PriorityClass In [system-cluster-critical]}]");
  const quotas = "/api/v1/namespaces/default/resourcequotas";
  const hard = { "services.loadbalancers": "1" };
  await server.made(quotas, { metadata: { name: "q" }, spec: { hard } });
  const used = { "services.loadbalancers": "0" };
  expect((await ask("PATCH", `${quotas}/q/status`, { status: { hard, used } })).status).toBe(200);
  expect((await ask("POST", services, balanced)).status).toBe(201);
  expect((await ask("GET", `${quotas}/q`)).body.status.used).toEqual({ "services.loadbalancers": "1" });
});
