// Measures API servers as their users meet them: over HTTPS, as processes of their own.
//
//   npm run bench                                   all workloads, on Kybern with its own store, in a few minutes
//   npm run bench -- requests watches               some of them
//   npm run bench -- --stores lmdb,memory,etcd      on each of these stores, one after the other in every round
//   npm run bench -- --kubeconfig FILE              and on any other API server, in the same run
//   npm run bench -- --server URL --ca FILE --cert FILE --key FILE --pid 123 --pid 124
//   npm run bench -- --full                         whole sizes, three rounds, and what takes long
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { plot } from "./plot.mjs";
import { line, Report, tables } from "./report.mjs";
import { commit, external, kybern, STORES } from "./targets.mjs";
import { runWorkload, workloads } from "./workload.mjs";

const text = { type: "string" };
const options = {
  rounds: text,
  full: { type: "boolean", default: false },
  stores: { type: "string", default: "lmdb" },
  server: text,
  ca: text,
  cert: text,
  key: text,
  token: text,
  kubeconfig: text,
  context: text,
  pid: { type: "string", multiple: true, default: [] },
  out: { type: "string", default: new URL("results/", import.meta.url).pathname },
};
const { values, positionals } = parseArgs({ allowPositionals: true, options });
/** Rounds of a workload that does not say how many it takes. */
const ROUNDS = 2;
const ROUNDS_IN_FULL = 3;

function wrong(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

function targetsOf({ stores, server, kubeconfig, pid, ...more }) {
  const names = stores.split(",").filter((store) => store !== "");
  const unknown = names.find((name) => !STORES.includes(name));
  if (unknown !== undefined) wrong(`no store ${unknown}; there are ${STORES.join(", ")}`);
  const own = names.map(kybern);
  if (server === undefined && kubeconfig === undefined) return own;
  return [...own, external({ server, kubeconfig, ...more, pids: pid.map(Number) })];
}

const all = workloads();
const unknown = positionals.filter((name) => !all.has(name));
if (unknown.length > 0) wrong(`no workload ${unknown.join(", ")}; there are ${[...all.keys()].join(", ")}`);
const chosen = [...all.values()].filter(({ name, full }) =>
  positionals.length > 0 ? positionals.includes(name) : values.full || !full,
);
const targets = targetsOf(values);
const names = targets.map(({ name }) => name);
const upstream = Object.assign({}, ...chosen.map((workload) => workload.upstream ?? {}));
const report = new Report(names, upstream);
const load = loadavg()[0].toFixed(1);
const started = new Date().toISOString().slice(0, 10);
const memoryGb = Math.round(totalmem() / 2 ** 30);
const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0].model.trim()}, ${memoryGb} GB, load ${load} at the start, commit ${commit()}`;
console.log(`${machine}\n${names.join(", ")}`);

for (const workload of chosen) {
  const rounds = Number(values.rounds ?? (values.full ? ROUNDS_IN_FULL : (workload.rounds ?? ROUNDS)));
  console.log(`\n${workload.name}: ${workload.about.trim()}${rounds > 1 ? ` Best of ${rounds}.` : ""}`);
  const skipped = new Set();
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { target, shownAs, prefix } of targetsFor(workload)) {
        const add = (what, ...figure) => report.add(workload.name, shownAs, `${prefix}${what}`, ...figure);
        await runWorkload(workload, target, { isFull: values.full, add, skip: (why) => skipped.add(why) });
      }
    }
  } catch (error) {
    // The others are measured all the same.
    console.error(`${workload.name} failed:`, error);
    process.exitCode = 1;
  }
  for (const row of report.rows().filter((one) => one.workload === workload.name)) console.log(line(row, names));
  for (const why of skipped) console.log(`(${why})`);
  keep(workload);
}
console.log(`\nLeft in ${values.out}`);

/** A workload that compares stores runs on those that it names, whatever the others run on: they become rows of their own. */
function targetsFor({ onStores }) {
  if (onStores === undefined) return targets.map((target) => ({ target, shownAs: target.name, prefix: "" }));
  return onStores.map((store) => ({ target: kybern(store), shownAs: names[0], prefix: `${store}: ` }));
}

/** Puts a workload's figures beside those that others have left, so that a run that is broken off has not been in vain. */
function keep(workload) {
  const { name } = workload;
  const result = resultOf(workload);
  if (result.rows.length === 0) return;
  const results = { ...earlier(), [name]: result };
  const shown = [...all.keys()].filter((known) => results[known] !== undefined).map((known) => [known, results[known]]);
  save("latest.json", `${JSON.stringify(Object.fromEntries(shown), null, 2)}\n`);
  save("latest.md", tables(shown.map(([, one]) => one)));
  save(`${name}.svg`, plot({ title: `${name}: ${result.about.split(/[.:] /)[0]}`, rows: result.rows, targets: names }));
}

/** What there is of a workload, with the conditions of its run. */
function resultOf({ name, about }) {
  const own = report
    .rows()
    .filter(({ workload }) => workload === name)
    .map(({ workload: _, ...row }) => row);
  const size = values.full ? "whole sizes" : "short sizes";
  return { about: about.trim(), conditions: `${machine}, ${size}, ${started}`, targets: names, rows: own };
}

/** Results of earlier runs: each workload keeps those of its last one. */
function earlier() {
  try {
    const known = JSON.parse(readFileSync(`${values.out.replace(/\/$/, "")}/latest.json`, "utf8"));
    return Object.fromEntries(Object.entries(known).filter(([name, one]) => all.has(name) && Array.isArray(one.rows)));
  } catch {
    return {};
  }
}

/** Whole or not at all: whoever reads the results while they are written sees the last ones. */
function save(name, content) {
  mkdirSync(values.out, { recursive: true });
  const target = `${values.out.replace(/\/$/, "")}/${name}`;
  try {
    writeFileSync(`${target}.tmp`, content);
    renameSync(`${target}.tmp`, target);
  } finally {
    rmSync(`${target}.tmp`, { force: true });
  }
}
