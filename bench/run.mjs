// Measures `kybern up` as its users meet it: over HTTPS, as a process of its own. Nothing beside the build is needed.
//
//   npm run bench                        all workloads
//   npm run bench -- requests fanOut     some of them
//   npm run bench -- --rounds 5          the best of five
//   npm run bench -- --full              the best of three of every workload, the long ones too
//
// Absolute figures depend on the machine; the last column sets them against upstream v1.36 with etcd on two cores.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { Report } from "./report.mjs";
import { authCost } from "./workloads/auth-cost.mjs";
import { customResources } from "./workloads/custom-resources.mjs";
import { encodings } from "./workloads/encodings.mjs";
import { fanOut } from "./workloads/fan-out.mjs";
import { requests } from "./workloads/requests.mjs";
import { rest } from "./workloads/rest.mjs";
import { scheduling } from "./workloads/scheduling.mjs";
import { start } from "./workloads/start.mjs";
import { stores } from "./workloads/stores.mjs";
import { watches } from "./workloads/watches.mjs";
import { webhooks } from "./workloads/webhooks.mjs";
import { writes } from "./workloads/writes.mjs";

const workloads = {
  start,
  rest,
  requests,
  authCost,
  writes,
  encodings,
  customResources,
  webhooks,
  fanOut,
  watches,
  scheduling,
  stores,
};
/** How often each is run where nobody says; some take long, and show the same every time. */
const ROUNDS = { start: 3, requests: 3, rest: 1, watches: 1, authCost: 1, stores: 1 };
const ROUNDS_OF_OTHERS = 2;
const ROUNDS_IN_FULL = 3;
const options = { rounds: { type: "string" }, full: { type: "boolean", default: false } };
const { values, positionals } = parseArgs({ allowPositionals: true, options });
const names = positionals.length > 0 ? positionals : Object.keys(workloads);
const unknown = names.filter((name) => workloads[name] === undefined);
if (unknown.length > 0) {
  console.error(`bench: no workload ${unknown.join(", ")}; there are ${Object.keys(workloads).join(", ")}`);
  process.exit(2);
}
const roundsOf = (name) => Number(values.rounds ?? (values.full ? ROUNDS_IN_FULL : (ROUNDS[name] ?? ROUNDS_OF_OTHERS)));
const load = loadavg()[0];
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`);
console.log(`load average at the start ${load.toFixed(1)}`);
const report = new Report();
for (const name of names) {
  const rounds = roundsOf(name);
  console.log(`\n${name}${rounds > 1 ? `, best of ${rounds}` : ""}`);
  for (let round = 0; round < rounds; round++) await workloads[name](report);
  report.print();
}
save({ node: process.version, cpus: cpus().length, load, rows: report.rows() });

/** Whole or not at all: whoever reads the results while they are written sees the last ones. */
function save(result) {
  mkdirSync(new URL("results/", import.meta.url), { recursive: true });
  const [temporary, target] = ["results/latest.json.tmp", "results/latest.json"].map((path) => new URL(path, import.meta.url));
  try {
    writeFileSync(temporary, `${JSON.stringify(result, null, 2)}\n`);
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
}
