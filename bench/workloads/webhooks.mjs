import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { connect } from "../http1-client.mjs";
import { configMap } from "../objects.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, rate, until } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const ALONE = 500;
const TOGETHER = 3_000;
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

function configuration(server, port) {
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] }];
  const clientConfig = { url: `https://127.0.0.1:${port}/`, caBundle: server.ca.toString("base64") };
  const hook = { name: "bench.example.com", rules, clientConfig, sideEffects: "None", admissionReviewVersions: ["v1"] };
  return JSON.stringify({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "bench" },
    webhooks: [hook],
  });
}

/** What a webhook adds to a write, and upstream's test of one: registered, obeyed, changed, removed. */
export async function webhooks(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const hook = await listen(server);
  const clients = await connectAll(CLIENTS, () => connect(server));
  const [client] = clients;
  let made = 0;
  const create = async (one) => expect(201, await one.request("POST", MAPS, configMap(`m-${made++}`)));
  const refused = async () => (await client.request("POST", MAPS, configMap(`r-${made++}`, { refuse: "1" }))).status === 400;
  await rate(server, clients, 1_000, create);
  const without = await rate(server, clients.slice(0, 1), ALONE, create);
  const started = performance.now();
  expect(201, await client.request("POST", HOOKS, configuration(server, hook.address().port)));
  await until("refusal", refused);
  report.add("webhook made to first refusal", Number((performance.now() - started).toFixed(1)), "ms", { less: true });
  await create(client);
  expect(200, await client.request("DELETE", `${HOOKS}/bench`));
  await until("end of refusals", async () => !(await refused()));
  report.add("webhook registered, obeyed, removed", Number((performance.now() - started).toFixed(1)), "ms", { less: true });
  expect(201, await client.request("POST", HOOKS, configuration(server, hook.address().port)));
  await until("refusal", refused);
  await rate(server, clients, 500, create);
  const alone = await rate(server, clients.slice(0, 1), ALONE, create);
  const trip = 1000 / alone.perSecond - 1000 / without.perSecond;
  report.add("webhook round trip, 1 client", Number(trip.toFixed(2)), "ms", {
    less: true,
    note: `${alone.perSecond} creates/s in place of ${without.perSecond}`,
  });
  const together = await rate(server, clients, TOGETHER, create);
  report.add("creates with a webhook, 64 clients", together.perSecond, "/s", { cpuMicros: together.cpuMicros });
  for (const one of clients) one.close();
  await server.stop();
  hook.closeAllConnections();
  hook.close();
}
