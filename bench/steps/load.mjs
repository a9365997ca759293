import { ENCODINGS, KINDS } from "../objects.mjs";
import { usage } from "../server.mjs";
import { expect, rate } from "./measure.mjs";

/** A server is asked that often at once while objects are made ready, which does not count. */
const PREPARING_CLIENTS = 32;

/**
 * Requests as fast as so many clients make them, each one at a time: `request` is a key of {@link REQUESTS}, `object` a kind,
 * `over` h1 (a connection each) or h2 (streams of one connection), `as` json or protobuf: patches are JSON always, their answers are
 * not. `count` may be one for each number of clients. Without a `name` it warms up.
 */
export async function load(
  context,
  { name, request, object = "configMap", clients = 1, count: counts, over = "h1", as = "json" },
) {
  const count = typeof counts === "number" ? counts : counts[clients];
  const kind = KINDS[object];
  const encoding = ENCODINGS[as];
  const path = `/api/v1/namespaces/${context.server.namespace}/${kind.plural}`;
  const asking = await context.clients(clients, over);
  const preparing = await context.clients(PREPARING_CLIENTS, "h1");
  const task = await REQUESTS[request]({ context, kind, encoding, path, clients: asking, count, preparing });
  const { beside } = context.server;
  const before = beside && usage(beside).cpuMs;
  const { perSecond, cpuMicros, p50Ms, p99Ms } = await rate(context.server, asking, count, task);
  if (name === undefined) return;
  const note = beside && `${beside.name}: ${Math.round(((usage(beside).cpuMs - before) * 1000) / count)} µs`;
  context.report(name, perSecond, "/s", { cpuMicros, p50Ms, p99Ms, ...(note && { note }) });
}

/** Each makes ready what it needs, then gives `(client, i, at)`: the i-th request, by the client at that place. */
const REQUESTS = {
  create: async ({ context, kind, encoding, path }) => {
    const { type } = encoding;
    return async (client) => {
      const body = encoding.create(kind, context.newName());
      expect(201, await client.request("POST", path, body, { type, accept: type }));
    };
  },

  get: async (of) => {
    const names = await someObjects(of, 1_000);
    const options = { accept: of.encoding.type };
    return async (client, i) =>
      expect(200, await client.request("GET", `${of.path}/${names[i % names.length]}`, undefined, options));
  },

  update: async (of) => {
    const { kind, encoding, path } = of;
    const names = await someObjects(of, of.clients.length);
    const { type } = encoding;
    const get = (name) => of.preparing[0].request("GET", `${path}/${name}`, undefined, { accept: type, keep: true });
    const stored = [];
    for (const name of names) stored.push(expect(200, await get(name)).data());
    return async (client, _, at) => {
      const body = encoding.changed(kind, stored[at], of.context.newName());
      expect(200, await client.request("PUT", `${path}/${names[at]}`, body, { type, accept: type }));
    };
  },

  /** Seven reads to two updates and a create. */
  mixed: async (of) => {
    const [get, update, create] = [await REQUESTS.get(of), await REQUESTS.update(of), await REQUESTS.create(of)];
    return (client, i, at) => (i % 10 < 7 ? get(client, i, at) : i % 10 < 9 ? update(client, i, at) : create(client, i, at));
  },

  jsonPatch: (of) => patches(of, "application/json-patch+json", of.kind.jsonPatch),
  mergePatch: (of) => patches(of, "application/merge-patch+json", of.kind.mergeChange ?? of.kind.change),
  strategicPatch: (of) => patches(of, "application/strategic-merge-patch+json", of.kind.change),

  apply: async (of) => {
    const names = await someObjects(of, of.clients.length);
    const send = applies(of);
    for (const [at, client] of of.clients.entries()) await send(client, names[at], of.context.newName());
    return (client, _, at) => send(client, names[at], of.context.newName());
  },
  applyWithoutChange: async (of) => {
    const names = await someObjects(of, of.clients.length);
    const send = applies(of);
    for (const [at, client] of of.clients.entries()) await send(client, names[at], "same");
    return (client, _, at) => send(client, names[at], "same");
  },
  applyNew: async (of) => {
    const send = applies(of, 201);
    return (client) => send(client, of.context.newName(), "new");
  },

  delete: async (of) => {
    const names = await someObjects(of, of.count);
    return async (client, i) =>
      expect(200, await client.request("DELETE", `${of.path}/${names[i]}`, undefined, { accept: of.encoding.type }));
  },
};

/** As clients change Pods and others, each an object of its own. */
async function patches(of, type, change) {
  const names = await someObjects(of, of.clients.length);
  const accept = of.encoding.type;
  return async (client, _, at) => {
    const body = JSON.stringify(change(of.context.newName()));
    expect(200, await client.request("PATCH", `${of.path}/${names[at]}`, body, { type, accept }));
  };
}

/** As `kubectl apply --server-side` sends it: JSON under a YAML content type. It takes fields over from who made the object. */
function applies({ kind, path, encoding }, status = 200) {
  const options = { type: "application/apply-patch+yaml", accept: encoding.type };
  return async (client, name, value) => {
    const { metadata, ...rest } = kind.object(name);
    const object = { ...rest, metadata: { ...metadata, labels: { ...metadata.labels, round: value } } };
    const at = `${path}/${name}?fieldManager=bench&force=true`;
    expect(status, await client.request("PATCH", at, JSON.stringify(object), options));
  };
}

/** Names of so many new objects. */
async function someObjects({ context, kind, path, preparing }, count) {
  const names = Array.from({ length: count }, () => context.newName());
  await rate(context.server, preparing, count, async (client, i) => {
    expect(201, await client.request("POST", path, ENCODINGS.json.create(kind, names[i])));
  });
  return names;
}
