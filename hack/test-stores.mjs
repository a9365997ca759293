// Runs the suites with every server on one store: memory, lmdb or etcd (docs/stores.md).
//
//   npm run test:stores                     what shows most in a few minutes, on etcd
//   npm run test:stores -- --all            the whole e2e and integration suites, on each store
//   npm run test:stores -- --all lmdb       the same on one of them
//   npm run test:stores -- etcd rollout     files whose names have that in them
//   npm run test:stores -- --report FILE    what came of it, as JSON; of several stores the last
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const STORES = ["memory", "lmdb", "etcd"];
const PROJECTS = ["e2e", "integration", "hosts", "timed"].flatMap((name) => ["--project", name]);
/** Each way to write, list and watch, what restarts, what compacts, and the controllers at work. */
const SOME = [
  ...[
    "e2e/client-node.test",
    "e2e/custom-resources",
    "e2e/kubectl-apply",
    "e2e/kubectl-read",
    "e2e/kubectl-write",
    "e2e/rollout",
  ],
  ...["e2e/workloads", "integration/apply", "integration/conformance-core", "integration/conformance-garbage"],
  ...["integration/conformance-lists", "integration/conformance-namespaces", "integration/conformance-quotas"],
  ...["integration/conformance-watches", "integration/custom-resource-conversion", "integration/encryption"],
  ...["integration/envtest", "integration/expired-lists", "integration/protobuf", "integration/storage-version"],
  ...["integration/stored-", "integration/up.test", "integration/webhooks"],
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: "boolean", default: false }, report: { type: "string" } },
});
const named = positionals.filter((word) => STORES.includes(word));
const stores = named.length > 0 ? named : values.all ? STORES : ["etcd"];
const filters = positionals.filter((word) => !STORES.includes(word));
const files = filters.length > 0 ? filters : values.all ? [] : SOME;
const reporters = values.report ? ["--reporter=default", "--reporter=json", `--outputFile.json=${values.report}`] : [];

let failed = 0;
for (const store of stores) {
  console.log(`\n== on ${store}`);
  const { status } = spawnSync("npx", ["vitest", "run", ...PROJECTS, ...reporters, ...files], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, KYBERN_TEST_STORE: store },
    stdio: "inherit",
  });
  if (status !== 0) failed++;
}
process.exitCode = failed === 0 ? 0 : 1;
