import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { configMap } from "../objects.mjs";
import { expect, rate, until } from "./measure.mjs";

const HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const CLIENTS = 64;

/** A webhook that refuses objects with the label `refuse`, which is answered 400 as long as it gives no code. It shows the API server's own certificate: that is for 127.0.0.1. */
function listen({ dir }) {
  const pem = (name) => readFileSync(join(dir, "pki", name));
  const hook = createServer(
    { cert: pem("apiserver.pem"), key: pem("apiserver-key.pem"), keepAliveTimeout: 60_000 },
    (request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const { request: review } = JSON.parse(Buffer.concat(chunks).toString());
        const allowed = review.object?.metadata?.labels?.refuse === undefined;
        const answer = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: review.uid, allowed } };
        response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
      });
    },
  );
  return new Promise((resolve) => hook.listen(0, "127.0.0.1", () => resolve(hook)));
}

function configuration({ ca }, port) {
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] }];
  const clientConfig = { url: `https://127.0.0.1:${port}/`, caBundle: ca.toString("base64") };
  const hook = { name: "bench.example.com", rules, clientConfig, sideEffects: "None", admissionReviewVersions: ["v1"] };
  return JSON.stringify({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "bench" },
    webhooks: [hook],
  });
}

/** What a webhook adds to a write, and upstream's test of one: registered, obeyed, changed, removed. */
export async function webhooks(context, { alone, together }) {
  const { server } = context;
  const hook = await listen(server);
  const { port } = hook.address();
  const path = context.path("configmaps");
  const clients = await context.clients(CLIENTS);
  const [client] = clients;
  const one = [client];
  const post = (by, labels) => by.request("POST", path, JSON.stringify(configMap(context.newName(), labels)));
  const create = async (by) => expect(201, await post(by));
  const refused = async () => (await post(client, { refuse: "1" })).status === 400;
  const register = async () => {
    expect(201, await client.request("POST", HOOKS, configuration(server, port)));
    await until("refusal", refused);
  };
  await rate(server, clients, 1_000, create);
  const without = await rate(server, one, alone, create);
  const started = performance.now();
  await register();
  context.report("webhook made to first refusal", Number((performance.now() - started).toFixed(1)), "ms", { less: true });
  await create(client);
  expect(200, await client.request("DELETE", `${HOOKS}/bench`));
  await until("end of refusals", async () => !(await refused()));
  context.report("webhook registered, obeyed, removed", Number((performance.now() - started).toFixed(1)), "ms", { less: true });
  await register();
  await rate(server, clients, 500, create);
  const within = await rate(server, one, alone, create);
  const trip = 1000 / within.perSecond - 1000 / without.perSecond;
  context.report("webhook round trip, 1 client", Number(trip.toFixed(2)), "ms", {
    less: true,
    note: `${within.perSecond} creates/s in place of ${without.perSecond}`,
  });
  const { perSecond, cpuMicros } = await rate(server, clients, together, create);
  context.report("creates with a webhook, 64 clients", perSecond, "/s", { cpuMicros });
  hook.closeAllConnections();
  hook.close();
}
