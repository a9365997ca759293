// What a create costs where nothing is done for it: a server of Node's own that answers a POST when its body is on the disk. As the
// embedded store does it, by an append to a log (without what comes after, LMDB's part); or by the two writes of LMDB that a create
// comes to, for comparison. `node bare-server.mjs log|lmdb FOLDER PKI` prints its port; it ends by SIGTERM.
import { constants, openSync, readFileSync, write, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { join } from "node:path";
import { open } from "lmdb";

const [medium, folder, pki] = process.argv.slice(2);
/** As the embedded store opens its own. */
const MAP_BYTES = 8 * 1024 ** 3;
const ENTRY_BYTES = 20;
/** About what the API server answers for the ConfigMap that it is sent. */
const ANSWER = Buffer.alloc(700, "a");
/** Of the log, which begins again from its start when it is full. */
const LOG_BYTES = 8 * 1024 ** 2;

const commitSteps = medium === "log" ? toLog() : toLmdb();
let revision = 0;
let waiting = [];
let isCommitting = false;

/** Resolves when the values are on the disk, as those of `src/storage/lmdb/log-segment.ts` are. */
function toLog() {
  const path = join(folder, "log");
  writeFileSync(path, Buffer.alloc(LOG_BYTES));
  const file = openSync(path, constants.O_RDWR | constants.O_DSYNC);
  let used = 0;
  return (steps) => {
    const bytes = Buffer.concat(steps.map(({ value }) => value));
    if (used + bytes.length > LOG_BYTES) used = 0;
    const at = used;
    used += bytes.length;
    return new Promise((resolve, reject) => {
      write(file, bytes, 0, bytes.length, at, (error) => (error === null ? resolve() : reject(error)));
    });
  };
}

/** Resolves when the values and their keys are in LMDB, and on the disk. */
function toLmdb() {
  const root = open({ path: folder, mapSize: MAP_BYTES, maxDbs: 2, encoding: "binary", overlappingSync: false });
  const writes = root.openDB({ name: "writes", encoding: "binary" });
  const index = root.openDB({ name: "index", encoding: "binary" });
  return async (steps) => {
    await root.batch(() => {
      for (const step of steps) {
        void writes.put(step.revision, step.value);
        void index.put(`/registry/configmaps/default/${step.revision}`, Buffer.alloc(ENTRY_BYTES));
      }
    });
    root.resetReadTxn();
  };
}

/** Group commit, as `src/storage/lmdb/commit-pipeline.ts` has it. */
function store(value) {
  return new Promise((resolve) => {
    waiting.push({ revision: ++revision, value, resolve });
    if (!isCommitting) queueMicrotask(commit);
    isCommitting = true;
  });
}

async function commit() {
  while (waiting.length > 0) {
    const steps = waiting;
    waiting = [];
    await commitSteps(steps);
    for (const step of steps) step.resolve();
  }
  isCommitting = false;
}

const file = (name) => readFileSync(join(pki, name));
const tls = { cert: file("apiserver.pem"), key: file("apiserver-key.pem"), ca: file("ca.pem") };
const server = createSecureServer({ ...tls, allowHTTP1: true, requestCert: true, rejectUnauthorized: false });
server.on("connection", (socket) => socket.setNoDelay(true));
server.on("request", (request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    await store(Buffer.concat(chunks));
    response.writeHead(201, { "content-type": "application/json", "content-length": ANSWER.length });
    response.end(ANSWER);
  });
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.on("SIGTERM", () => process.exit(0));
