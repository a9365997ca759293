import { expect, median, rate, until } from "./measure.mjs";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "bench.example.com";
const CLIENTS = 64;

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

/** From the POST of a definition until it is Established, and until the first object of its kind is made; then many objects. */
export async function customResources(context, { definitions, objects }) {
  const clients = await context.clients(CLIENTS);
  const [client] = clients;
  const pathOf = (i) => `/apis/${GROUP}/v1/namespaces/${context.server.namespace}/widget${i}s`;
  const established = [];
  const served = [];
  for (let i = 0; i < definitions; i++) {
    const started = performance.now();
    expect(201, await client.request("POST", CRDS, definition(i)));
    await until("established definition", () => isEstablished(client, i));
    established.push(performance.now() - started);
    await until("object", async () => (await client.request("POST", pathOf(i), object(i, "first"))).status === 201);
    served.push(performance.now() - started);
  }
  context.report("CRD made to Established", Number(median(established).toFixed(1)), "ms", { less: true });
  context.report("CRD made to first object made", Number(median(served).toFixed(1)), "ms", { less: true });
  const create = async (one) => expect(201, await one.request("POST", pathOf(0), object(0, context.newName())));
  await rate(context.server, clients, Math.ceil(objects / 4), create);
  const { perSecond, cpuMicros, p50Ms, p99Ms } = await rate(context.server, clients, objects, create);
  context.report("custom resources made, 64 clients", perSecond, "/s", { cpuMicros, p50Ms, p99Ms });
  for (let i = 0; i < definitions; i++) expect(200, await client.request("DELETE", `${CRDS}/widget${i}s.${GROUP}`));
}

async function isEstablished(client, i) {
  const answer = await client.request("GET", `${CRDS}/widget${i}s.${GROUP}`, undefined, { keep: true });
  const { conditions } = JSON.parse(expect(200, answer).text()).status ?? {};
  return (conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
}
