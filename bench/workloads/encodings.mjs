import { connect } from "../http1-client.mjs";
import { pod, podMessage } from "../objects.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, lists, rate } from "./measure.mjs";

const PODS = "/api/v1/namespaces/default/pods";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const POD_COUNT = 5_000;
const WARM = 1_000;
const UNBOUND = { schedulerName: "nobody" };

/** The same Pods made and listed in each of the API's encodings. */
export async function encodings(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const clients = await connectAll(64, () => connect(server));
  const measure = async (what, count, body, options) => {
    let made = 0;
    const create = async (client) => expect(201, await client.request("POST", PODS, body(made++), options));
    const { perSecond, cpuMicros } = await rate(server, clients, count, create);
    report.add(what, perSecond, "/s", { cpuMicros });
  };
  const protobuf = { type: PROTOBUF, accept: PROTOBUF };
  await rate(server, clients, WARM, async (client, i) =>
    expect(201, await client.request("POST", PODS, pod(`warm-${2 * i}`, UNBOUND))),
  );
  await rate(server, clients, WARM, async (client, i) =>
    expect(201, await client.request("POST", PODS, podMessage(`warm-${2 * i + 1}`, UNBOUND.schedulerName), protobuf)),
  );
  await measure("Pods made in JSON, 64 clients", POD_COUNT / 2, (i) => pod(`j-${i}`, UNBOUND), {});
  await measure("Pods made in protobuf, 64 clients", POD_COUNT / 2, (i) => podMessage(`p-${i}`, UNBOUND.schedulerName), protobuf);
  const [client] = clients;
  await rate(server, clients, 2 * WARM, async (one, i) => expect(200, await one.request("DELETE", `${PODS}/warm-${i}`)));
  const list = (what, options) =>
    lists(report, server, `LIST of 5,000 Pods, ${what}`, () => client.request("GET", PODS, undefined, options));
  await list("JSON", {});
  await list("JSON, gzip", { headers: "Accept-Encoding: gzip\r\n" });
  await list("protobuf", { accept: PROTOBUF });
  await list("table", { accept: TABLE });
  await list("metadata", { accept: METADATA });
  // Each answer is made anew where the objects have changed: one write before each LIST.
  const touch = () =>
    client.request("PATCH", `${PODS}/j-0`, `{"metadata":{"labels":{"n":"${Math.random()}"}}}`, {
      type: "application/merge-patch+json",
    });
  await lists(
    report,
    server,
    "LIST of 5,000 Pods, table, one changed",
    () => client.request("GET", PODS, undefined, { accept: TABLE }),
    touch,
  );
  for (const one of clients) one.close();
  await server.stop();
}
