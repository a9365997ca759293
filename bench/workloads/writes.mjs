import { connect } from "../http1-client.mjs";
import { pod } from "../objects.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, rate } from "./measure.mjs";

const PODS = "/api/v1/namespaces/default/pods";
const CLIENTS = 64;
const ALONE = 1_000;
const TOGETHER = 4_000;
const UNBOUND = { schedulerName: "nobody" };

/** Each way to change a Pod's image; `same` is one that changes nothing. All bodies but that of `PUT` are as clients send them. */
const CHANGES = {
  PUT: { method: "PUT", type: "application/json", body: (_, image, stored) => withImage(stored, image) },
  apply: {
    type: "application/apply-patch+yaml",
    query: "?fieldManager=bench",
    body: (name, image) => configuration(name, image),
  },
  "JSON patch": {
    type: "application/json-patch+json",
    body: (_, image) => JSON.stringify([{ op: "replace", path: "/spec/containers/0/image", value: image }]),
  },
  // A merge patch replaces lists: it changes a label in place of the image.
  "merge patch": {
    type: "application/merge-patch+json",
    body: (_, image) => JSON.stringify({ metadata: { labels: { image: image.replaceAll(/[^a-z0-9]/g, "-") } } }),
  },
  "strategic patch": {
    type: "application/strategic-merge-patch+json",
    body: (_, image) => JSON.stringify({ spec: { containers: [{ name: "main", image }] } }),
  },
};

/** A Pod as `kubectl apply --server-side` sends it: JSON under a YAML content type. */
function configuration(name, image) {
  const config = JSON.parse(pod(name, UNBOUND));
  config.spec.containers[0].image = image;
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", ...config });
}

function withImage(stored, image) {
  const object = JSON.parse(stored);
  delete object.metadata.resourceVersion;
  object.spec.containers[0].image = image;
  return JSON.stringify(object);
}

/** Changes of Pods in every way that the API has: one client, and 64 with an object each. */
export async function writes(report) {
  const server = await startServer({ args: ["--nodes", "0"] });
  const clients = await connectAll(CLIENTS, () => connect(server));
  const names = clients.map((_, i) => `w-${i}`);
  const stored = [];
  for (const [i, client] of clients.entries()) {
    const answer = await client.request("POST", PODS, pod(names[i], UNBOUND), { keep: true });
    stored.push(expect(201, answer).text());
  }
  const change = ({ method = "PATCH", type, query = "", body }, image) => {
    return async (client, i) => {
      const at = clients.indexOf(client);
      const text = body(names[at], image(i), stored[at]);
      expect(200, await client.request(method, `${PODS}/${names[at]}${query}`, text, { type }));
    };
  };
  let serial = 0;
  const fresh = () => `registry.example.com/team/app:${serial++}`;
  // The first apply takes the fields over from the client that made the Pods.
  const takeOver = change({ ...CHANGES.apply, query: "?fieldManager=bench&force=true" }, fresh);
  for (const client of clients) await takeOver(client, 0);
  for (const what of Object.keys(CHANGES)) await rate(server, clients, 500, change(forced(what), fresh));
  const measure = async (what, on, count, task) => {
    const { perSecond, cpuMicros } = await rate(server, on, count, task);
    report.add(what, perSecond, "/s", { cpuMicros });
  };
  for (const what of Object.keys(CHANGES)) {
    await measure(`${what}, 1 client`, clients.slice(0, 1), ALONE, change(forced(what), fresh));
    await measure(`${what}, 64 clients`, clients, TOGETHER, change(forced(what), fresh));
  }
  await measure(
    "apply that changes nothing, 64 clients",
    clients,
    TOGETHER,
    change(forced("apply"), () => "same"),
  );
  let made = 0;
  const create = async (client) => {
    const name = `a-${made++}`;
    const path = `${PODS}/${name}?fieldManager=bench`;
    const body = configuration(name, fresh());
    expect(201, await client.request("PATCH", path, body, { type: CHANGES.apply.type }));
  };
  await measure("apply that makes Pods, 64 clients", clients, TOGETHER, create);
  for (const client of clients) client.close();
  await server.stop();
}

/** The same field is changed by several managers in turn. */
function forced(what) {
  return what === "apply" ? { ...CHANGES.apply, query: "?fieldManager=bench&force=true" } : CHANGES[what];
}
