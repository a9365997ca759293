// What is measured: a fresh Kybern of this tree on one of its stores, or any other API server that runs already.
import { existsSync, readFileSync } from "node:fs";
import { load } from "js-yaml";
import { findEtcd, startEtcd } from "./etcd.mjs";
import { connect } from "./http1-client.mjs";
import { closedAtEnd } from "./leftovers.mjs";
import { startServer } from "./server.mjs";
import { expect, until } from "./steps/measure.mjs";

/** Of `etcd` objects are protobuf, as upstream writes them. */
export const STORES = ["lmdb", "memory", "etcd", "etcd-json"];
const NAMESPACE = "kybern-bench";
const PATH = `/api/v1/namespaces/${NAMESPACE}`;
/** How long the namespace may take to go, in milliseconds. */
const REMOVAL_MS = 300_000;

/** A fresh server for each workload, thrown away afterwards. */
export function kybern(store) {
  return {
    name: `Kybern on ${store}`,
    isOurs: true,
    hasProcesses: true,
    keeps: store === "lmdb",
    async start({ nodes = 0, args = [], dir, keep } = {}) {
      const etcd = store.startsWith("etcd") ? await startMember() : undefined;
      const media = store === "etcd-json" ? ["--storage-media-type", "application/json"] : [];
      const storeArgs = etcd ? ["--etcd-servers", etcd.url, ...media] : ["--storage-backend", store];
      const server = await startServer({ args: ["--nodes", String(nodes), ...storeArgs, ...args], dir, keep }).catch(
        async (error) => {
          await etcd?.stop();
          throw error;
        },
      );
      const stop = async () => {
        await server.stop();
        await etcd?.stop();
      };
      const beside = etcd && { name: `etcd ${etcd.version}`, pid: etcd.pid };
      return { ...server, namespace: "default", beside, stop };
    },
  };
}

async function startMember() {
  const etcd = findEtcd();
  if (etcd === undefined) throw new Error("there is no etcd: hack/install-test-tools.sh brings it, KYBERN_ETCD names its folder");
  return { ...(await startEtcd(etcd)), version: etcd.version };
}

/**
 * A server that somebody else started, in a namespace that is made for each workload and deleted after it. With the ids of its
 * processes on this machine (`--pid`, several for one with etcd beside it) their processor time and memory are told, too.
 */
export function external({ server, kubeconfig, context, ca, cert, key, token, pids = [] }) {
  const credentials = kubeconfig === undefined ? given({ server, ca, cert, key, token }) : fromKubeconfig(kubeconfig, context);
  const { hostname, port } = new URL(credentials.url);
  const address = { host: hostname, port: Number(port || 443), ...credentials, pids };
  return {
    name: credentials.url,
    isOurs: false,
    hasProcesses: pids.length > 0,
    async start() {
      await onConnection(address, async (client) => {
        if ((await client.request("GET", PATH)).status === 200)
          throw new Error(`there is a namespace ${NAMESPACE} already: delete it, if it is the bench's`);
        expect(201, await client.request("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name: NAMESPACE } })));
        // Pods are refused until the namespace has its account.
        const account = `${PATH}/serviceaccounts/default`;
        await until("service account", async () => (await client.request("GET", account)).status === 200);
      });
      const stop = () => onConnection(address, removeNamespace);
      const forget = closedAtEnd(stop);
      return { ...address, namespace: NAMESPACE, stop: () => stop().finally(forget) };
    },
  };
}

/** A connection of its own for what comes before and after a workload: one that nobody uses meanwhile is closed by the server. */
async function onConnection(address, task) {
  const client = await connect(address);
  try {
    await task(client);
  } finally {
    client.close();
  }
}

/** No node may be there that would say that Pods have ended: they go at once. */
async function removeNamespace(client) {
  expect(200, await client.request("DELETE", `${PATH}/pods?gracePeriodSeconds=0`));
  expect(200, await client.request("DELETE", PATH));
  await until("end of the namespace", async () => (await client.request("GET", PATH)).status === 404, REMOVAL_MS, 20);
}

function given({ server, ca, cert, key, token }) {
  const read = (path) => (path === undefined ? undefined : readFileSync(path));
  return { url: server, ca: read(ca), cert: read(cert), key: read(key), token };
}

function fromKubeconfig(path, name) {
  if (!existsSync(path)) throw new Error(`there is no kubeconfig ${path}`);
  const config = load(readFileSync(path, "utf8"));
  const named = (list, wanted) => list.find((one) => one.name === wanted);
  const context = named(config.contexts, name ?? config["current-context"])?.context;
  if (context === undefined) throw new Error(`${path} has no context ${name ?? config["current-context"]}`);
  const { cluster } = named(config.clusters, context.cluster);
  const { user } = named(config.users, context.user);
  const part = (of, what) =>
    of[`${what}-data`] ? Buffer.from(of[`${what}-data`], "base64") : of[what] && readFileSync(of[what]);
  const ca = part(cluster, "certificate-authority");
  return { url: cluster.server, ca, cert: part(user, "client-certificate"), key: part(user, "client-key"), token: user.token };
}
