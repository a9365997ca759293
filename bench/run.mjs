// Measures `kybern up` as its users meet it: over HTTPS, as a process of its own. Nothing beside the build is needed.
//
//   npm run bench                        all workloads
//   npm run bench -- requests fanOut     some of them
//   npm run bench -- --rounds 5          the best of five (default 3)
//
// Absolute figures depend on the machine; the last column sets them against upstream v1.36 with etcd on two cores.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { Report } from "./report.mjs";
import { customResources } from "./workloads/custom-resources.mjs";
import { encodings } from "./workloads/encodings.mjs";
import { fanOut } from "./workloads/fan-out.mjs";
import { requests } from "./workloads/requests.mjs";
import { rest } from "./workloads/rest.mjs";
import { scheduling } from "./workloads/scheduling.mjs";
import { start } from "./workloads/start.mjs";
import { watches } from "./workloads/watches.mjs";
import { webhooks } from "./workloads/webhooks.mjs";
import { writes } from "./workloads/writes.mjs";

const workloads = { start, rest, requests, writes, encodings, customResources, webhooks, fanOut, watches, scheduling };
const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: "string", default: "3" } } });
const names = positionals.length > 0 ? positionals : Object.keys(workloads);
const unknown = names.filter((name) => workloads[name] === undefined);
if (unknown.length > 0) {
  console.error(`bench: no workload ${unknown.join(", ")}; there are ${Object.keys(workloads).join(", ")}`);
  process.exit(2);
}
const rounds = Number(values.rounds);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB`);
console.log(`best of ${rounds} rounds; load average at the start ${loadavg()[0].toFixed(1)}\n`);
const report = new Report();
for (const name of names) {
  for (let round = 0; round < rounds; round++) await workloads[name](report);
  report.print();
}
mkdirSync(new URL("results/", import.meta.url), { recursive: true });
const result = { node: process.version, cpus: cpus().length, load: loadavg()[0], rows: report.rows() };
writeFileSync(new URL("results/latest.json.tmp", import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
