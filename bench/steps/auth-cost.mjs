import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { connect } from "../http1-client.mjs";
import { removeFolder, temporaryFolder } from "../leftovers.mjs";
import { configMap } from "../objects.mjs";
import { startTwoServers } from "../two-servers.mjs";
import { connectAll, expect, median, rate } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const GETS = 1_000;
const WARM_UP_GETS = 8_000;
/** Pairs of rounds: many short ones, so that what else the machine does meets both alike. */
const ROUNDS = 60;
const CLIENTS = 8;
const BINDINGS = 1_000;

/** What it costs a GET to find out who asks, and whether they may: against a server that asks nobody and lets everybody. */
export async function authCost(report) {
  const dir = temporaryFolder("auth-");
  const webhook = await startWebhook();
  const [tokenFile, webhookFile] = [join(dir, "tokens.csv"), join(dir, "webhook.json")];
  writeFileSync(tokenFile, "many,many,1\n");
  writeFileSync(webhookFile, kubeconfig(`http://127.0.0.1:${webhook.address().port}/`));
  const { servers, stop } = await startTwoServers([tokenFile, webhookFile]);
  const [open, guarded] = servers;
  await prepare(open);
  const serviceAccount = await prepare(guarded);
  const cases = [
    ["GET by certificate, administrator", undefined],
    ["GET by service-account token, RBAC", serviceAccount],
    [`GET by token file, ${BINDINGS} RoleBindings`, "many"],
    ["GET by remembered webhook token, RBAC", "remembered"],
  ];
  for (const [what, token] of cases) {
    // The same bytes to a server that does not look at them; an administrator is exempt from fairness there, too.
    const sides = await Promise.all([
      side(open, token && { "X-Not-Looked-At": `.... ${token}` }, token),
      side(guarded, token && { Authorization: `Bearer ${token}` }, token),
    ]);
    const { perSecond, cpuMicros, ratio, spread } = await compare(sides);
    for (const client of sides.flatMap(({ clients }) => clients)) client.close();
    const percent = (100 * (ratio - 1)).toFixed(1);
    report.add(what, perSecond, "/s", {
      cpuMicros,
      note: `${percent} % more than where nobody is asked (±${(100 * spread).toFixed(1)})`,
    });
  }
  await stop();
  webhook.close();
  webhook.closeAllConnections();
  removeFolder(dir);
}

async function side(server, headers, token) {
  const shown = token === undefined ? server : { port: server.port, ca: server.ca };
  return { server, options: headers === undefined ? {} : { headers }, clients: await connectAll(CLIENTS, () => connect(shown)) };
}

/**
 * The middle of what each pair of rounds showed: both of a pair meet the same machine, and go first in turn. `spread` is
 * how far the middle may be off (the standard error of a median).
 */
async function compare(sides) {
  const run = async ({ server, clients, options }, count) => {
    const before = onProcessorMicros(server.pid);
    const get = async (client) => expect(200, await client.request("GET", `${MAPS}/m`, undefined, options));
    const { perSecond } = await rate(server, clients, count, get);
    return { perSecond, cpuMicros: (onProcessorMicros(server.pid) - before) / count };
  };
  for (const each of [...sides, ...sides]) await run(each, WARM_UP_GETS);
  const pairs = [];
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    const pair = [];
    for (const i of order) pair[i] = await run(sides[i], GETS);
    pairs.push(pair);
  }
  const ratios = pairs.map(([open, guarded]) => guarded.cpuMicros / open.cpuMicros).sort((a, b) => a - b);
  const quartile = (part) => ratios[Math.floor(part * (ratios.length - 1))];
  const deviation = (quartile(0.75) - quartile(0.25)) / 1.349;
  return {
    perSecond: Math.max(...pairs.map(([, guarded]) => guarded.perSecond)),
    cpuMicros: median(pairs.map(([, guarded]) => guarded.cpuMicros)),
    ratio: median(ratios),
    spread: (1.253 * deviation) / Math.sqrt(ratios.length),
  };
}

/** Processor time of all threads, finer than the hundredths of seconds that processes are told in. */
function onProcessorMicros(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return (
    tasks.reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]), 0) / 1e3
  );
}

/** One object to get, and rights for those who get it; returns a token of the account `reader`. */
async function prepare(server) {
  const client = await connect(server);
  const create = async (path, body, keep = false) =>
    expect(201, await client.request("POST", path, JSON.stringify(body), { keep }));
  expect(201, await client.request("POST", MAPS, JSON.stringify(configMap("m"))));
  const rule = (names) => ({
    apiGroups: [""],
    resources: ["configmaps"],
    verbs: ["get"],
    ...(names && { resourceNames: names }),
  });
  const role = (name, rules) => create(`${RBAC}/namespaces/default/roles`, { metadata: { name }, rules });
  const bind = (name, subject) =>
    create(`${RBAC}/namespaces/default/rolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [subject],
    });
  const user = (name) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name });
  await role("reader", [rule()]);
  await create("/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "reader" } });
  await bind("reader", { kind: "ServiceAccount", name: "reader", namespace: "default" });
  await create(`${RBAC}/namespaces/default/rolebindings`, {
    metadata: { name: "remembered" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    subjects: [user("remembered")],
  });
  // The last of them is the one that counts.
  for (let i = 1; i <= BINDINGS; i++) {
    const name = `many-${String(i).padStart(5, "0")}`;
    await role(name, [rule([i === BINDINGS ? "m" : `other-${i}`])]);
    await bind(name, user("many"));
  }
  const answer = await create("/api/v1/namespaces/default/serviceaccounts/reader/token", { spec: {} }, true);
  client.close();
  return JSON.parse(answer.text()).status.token;
}

/** Knows every token, as a user of that name. */
function startWebhook() {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const { apiVersion, kind, spec } = JSON.parse(body);
      const status = { authenticated: spec.token === "remembered", user: { username: spec.token } };
      response.setHeader("content-type", "application/json").end(JSON.stringify({ apiVersion, kind, status }));
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function kubeconfig(server) {
  return JSON.stringify({
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: {} }],
  });
}
