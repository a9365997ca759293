import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../http1-client.mjs";
import { configMap } from "../objects.mjs";
import { startServer } from "../server.mjs";
import { connectAll, expect, rate } from "./measure.mjs";

const MAPS = "/api/v1/namespaces/default/configmaps";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const GETS = 4_000;
/** Rounds of each: they alternate, so that what else the machine does meets all of them. */
const ROUNDS = 10;
const BINDINGS = 1_000;
const bearer = (token) => ({ headers: `Authorization: Bearer ${token}\r\n` });

/** What it costs a GET to find out who asks, and whether they may: against a server that asks nobody and lets everybody. */
export async function authCost(report) {
  const dir = mkdtempSync(join(tmpdir(), "kybern-bench-auth-"));
  const webhook = await startWebhook();
  writeFileSync(join(dir, "tokens.csv"), "many,many,1\n");
  writeFileSync(join(dir, "webhook.json"), kubeconfig(`http://127.0.0.1:${webhook.address().port}/`));
  const openArgs = ["--nodes", "0", "--anonymous-auth=true", "--authorization-mode=AlwaysAllow"];
  const open = await startServer({ args: openArgs });
  const tokens = ["--token-auth-file", join(dir, "tokens.csv")];
  const asked = [
    "--authentication-token-webhook-config-file",
    join(dir, "webhook.json"),
    "--authentication-token-webhook-cache-ttl=30m",
  ];
  const guarded = await startServer({ args: ["--nodes", "0", "--authorization-mode=Node,RBAC", ...tokens, ...asked] });
  // Two processes of the same settings differ by several percent: what is compared with is the middle of two of them.
  const twin = await startServer({ args: openArgs });
  await prepare(open);
  await prepare(twin);
  const serviceAccount = await prepare(guarded);
  const cases = [
    ["GET by certificate, administrator", guarded, {}],
    ["GET by service-account token, RBAC", { port: guarded.port, ca: guarded.ca }, bearer(serviceAccount)],
    [`GET by token file, ${BINDINGS} RoleBindings`, { port: guarded.port, ca: guarded.ca }, bearer("many")],
    ["GET by remembered webhook token, RBAC", { port: guarded.port, ca: guarded.ca }, bearer("remembered")],
  ];
  for (const [what, credentials, options] of cases) {
    // The same bytes to a server that does not look at them; an administrator is exempt from fairness there, too.
    const isCertificate = credentials === guarded;
    const plain = { headers: options.headers?.replace("Authorization: Bearer", "X-Not-Looked-At: ....") };
    const side = async (server, shown, sent) => ({ server, options: sent, clients: await connectAll(8, () => connect(shown)) });
    const shownTo = (server) => (isCertificate ? server : { port: server.port, ca: server.ca });
    const sides = await Promise.all([
      side(open, shownTo(open), plain),
      side(guarded, credentials, options),
      side(twin, shownTo(twin), plain),
    ]);
    const { perSecond, cpuMicros, ratio } = await compare(sides);
    for (const client of sides.flatMap(({ clients }) => clients)) client.close();
    report.add(what, perSecond, "/s", { cpuMicros, note: `${(100 * (ratio - 1)).toFixed(1)} % more than where nobody is asked` });
  }
  await Promise.all([open.stop(), twin.stop(), guarded.stop()]);
  webhook.close();
  webhook.closeAllConnections();
  rmSync(dir, { recursive: true, force: true });
}

/** The least of all rounds of each: what else the machine does only adds to it. The second is set against the two others. */
async function compare(sides) {
  const run = async ({ server, clients, options }, count) => {
    const before = onProcessorMicros(server.pid);
    const get = async (client) => expect(200, await client.request("GET", `${MAPS}/m`, undefined, options));
    const { perSecond } = await rate(server, clients, count, get);
    return { perSecond, cpuMicros: (onProcessorMicros(server.pid) - before) / count };
  };
  const best = sides.map(() => ({ perSecond: 0, cpuMicros: Number.POSITIVE_INFINITY }));
  for (const side of sides) await run(side, 3 * GETS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, side] of sides.entries()) {
      const { perSecond, cpuMicros } = await run(side, GETS);
      best[i].perSecond = Math.max(best[i].perSecond, perSecond);
      best[i].cpuMicros = Math.min(best[i].cpuMicros, cpuMicros);
    }
  }
  const [one, full, other] = best;
  return { ...full, ratio: (2 * full.cpuMicros) / (one.cpuMicros + other.cpuMicros) };
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
  expect(201, await client.request("POST", MAPS, configMap("m")));
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
