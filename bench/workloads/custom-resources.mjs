import { connect } from "../http1-client.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, median, rate, until } from "./measure.mjs";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "bench.example.com";
const COUNT = 20;
const CLIENTS = 64;
const CREATES = 4_000;

function definition(i) {
  const properties = { size: { type: "integer", minimum: 0, default: 1 }, image: { type: "string" } };
  const spec = { type: "object", properties, "x-kubernetes-validations": [{ rule: "self.size < 100" }] };
  const schema = { openAPIV3Schema: { type: "object", properties: { spec } } };
  const versions = [{ name: "v1", served: true, storage: true, schema, subresources: { status: {} } }];
  const names = { plural: `widget${i}s`, singular: `widget${i}`, kind: `Widget${i}`, listKind: `Widget${i}List` };
  const metadata = { name: `${names.plural}.${GROUP}` };
  const body = { group: GROUP, scope: "Namespaced", names, versions };
  return JSON.stringify({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata, spec: body });
}

const object = (i, name) =>
  JSON.stringify({ apiVersion: `${GROUP}/v1`, kind: `Widget${i}`, metadata: { name }, spec: { size: 3, image: "app:1" } });

/** From the POST of a definition until it is Established, and until the first object of its kind is made. */
export async function customResources(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const clients = await connectAll(CLIENTS, () => connect(server));
  const [client] = clients;
  const established = [];
  const served = [];
  for (let i = 0; i < COUNT; i++) {
    const started = performance.now();
    expect(201, await client.request("POST", CRDS, definition(i)));
    await until("established definition", () => isEstablished(client, i));
    established.push(performance.now() - started);
    const path = `/apis/${GROUP}/v1/namespaces/default/widget${i}s`;
    await until("object", async () => (await client.request("POST", path, object(i, "first"))).status === 201);
    served.push(performance.now() - started);
  }
  report.add("CRD made to Established", Number(median(established).toFixed(1)), "ms", { less: true });
  report.add("CRD made to first object made", Number(median(served).toFixed(1)), "ms", { less: true });
  let made = 0;
  const create = async (one) => {
    const path = `/apis/${GROUP}/v1/namespaces/default/widget0s`;
    expect(201, await one.request("POST", path, object(0, `w-${made++}`)));
  };
  await rate(server, clients, CREATES / 4, create);
  const { perSecond, cpuMicros } = await rate(server, clients, CREATES, create);
  report.add("custom resources made, 64 clients", perSecond, "/s", { cpuMicros });
  for (const one of clients) one.close();
  await server.stop();
}

async function isEstablished(client, i) {
  const answer = await client.request("GET", `${CRDS}/widget${i}s.${GROUP}`, undefined, { keep: true });
  const { conditions } = JSON.parse(expect(200, answer).text()).status;
  return (conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
}
