import { KINDS, PROTOBUF_TYPE } from "../objects.mjs";
import { usage } from "../server.mjs";
import { expect, rate } from "./measure.mjs";

/** What a LIST can be asked for as. */
const FORMS = {
  json: {},
  "json, gzip": { headers: { "Accept-Encoding": "gzip" } },
  protobuf: { accept: PROTOBUF_TYPE },
  table: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
  metadata: { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" },
};
const CLIENTS = 64;
const TRIES = 10;

/** Objects are made until there are so many. A part of them, one in `labelled`, has the label `part`. */
export async function fill(context, { object = "pod", count, labelled = 10 }) {
  const kind = KINDS[object];
  const clients = await context.clients(CLIENTS);
  await rate(context.server, clients, count, async (client, i) => {
    const labels = i % labelled === 0 ? { part: "one" } : {};
    expect(201, await client.request("POST", context.path(kind.plural), JSON.stringify(kind.object(context.newName(), labels))));
  });
}

/**
 * The best of ten LISTs, until the last byte, one after the other by each of `clients`: in one of {@link FORMS}, `chunk` objects
 * at a time, by a label `selector`; with `changed` one object is written before each, so that what was ready is not.
 */
export async function list(
  context,
  { name, object = "pod", as = "json", over = "h1", clients = 1, chunk = 0, selector = "", changed = false },
) {
  const { plural } = KINDS[object];
  const path = context.path(plural);
  const asking = await context.clients(clients, over);
  const [first] = await context.clients(1);
  const query = new URLSearchParams({ ...(chunk > 0 && { limit: chunk }), ...(selector !== "" && { labelSelector: selector }) });
  const touched = changed ? await anyName(first, path) : undefined;
  const { server } = context;
  let best = Number.POSITIVE_INFINITY;
  let bytes = 0;
  let cpuMs = 0;
  for (let round = 0; round < TRIES; round++) {
    if (touched !== undefined) await touch(first, `${path}/${touched}`, round);
    const cpuBefore = usage(server).cpuMs;
    const started = performance.now();
    const all = await Promise.all(asking.map((client) => whole(client, path, query, FORMS[as])));
    best = Math.min(best, performance.now() - started);
    [bytes] = all;
    cpuMs += usage(server).cpuMs - cpuBefore;
  }
  const more = { less: true, cpuMicros: (cpuMs * 1000) / TRIES / clients, note: `${(bytes / 1e6).toFixed(1)} MB` };
  context.report(name, Number(best.toFixed(1)), "ms", more);
}

/** The bytes of a LIST, in as many answers as it takes. */
async function whole(client, path, query, form) {
  let bytes = 0;
  const asked = new URLSearchParams(query);
  for (;;) {
    const isPart = query.has("limit");
    const answer = expect(200, await client.request("GET", `${path}?${asked}`, undefined, { ...form, keep: isPart }));
    bytes += answer.bytes;
    const next = isPart ? /"continue":"([^"]+)"/.exec(answer.text())?.[1] : undefined;
    if (next === undefined) return bytes;
    asked.set("continue", next);
  }
}

async function anyName(client, path) {
  const answer = expect(200, await client.request("GET", `${path}?limit=1`, undefined, { keep: true }));
  return JSON.parse(answer.text()).items[0].metadata.name;
}

async function touch(client, path, round) {
  const body = JSON.stringify({ metadata: { labels: { round: `${round}-${performance.now()}` } } });
  expect(200, await client.request("PATCH", path, body, { type: "application/merge-patch+json" }));
}
