// Measures API servers as their users meet them: over HTTPS, as processes of their own.
//
//   npm run bench                                   all workloads, on Kybern with its own store, in a few minutes
//   npm run bench -- requests watches               some of them
//   npm run bench -- --stores lmdb,memory,etcd      on each of these stores, one after the other in every round
//   npm run bench -- --kubeconfig FILE              and on any other API server, in the same run
//   npm run bench -- --server URL --ca FILE --cert FILE --key FILE --pid 123 --pid 124
//   npm run bench -- --full                         whole sizes, and what takes long
//   npm run bench -- --tables                       measures nothing, writes tables and drawings of what is kept once more
import { parseArgs } from "node:util";
import { machine, moment, takenSince, ticks } from "./conditions.mjs";
import { counted, standing } from "./goals.mjs";
import { leaveNothing, untilEnded } from "./leftovers.mjs";
import { Progress } from "./progress.mjs";
import { Report } from "./report.mjs";
import { KEPT, keep, writeAgain } from "./results.mjs";
import { line } from "./tables.mjs";
import { external, kybern, STORES } from "./targets.mjs";
import { runWorkload, workloads } from "./workload.mjs";

const text = { type: "string" };
const flag = { type: "boolean", default: false };
const options = {
  rounds: text,
  full: flag,
  tables: flag,
  stores: { type: "string", default: "lmdb" },
  server: text,
  ca: text,
  cert: text,
  key: text,
  token: text,
  kubeconfig: text,
  context: text,
  pid: { type: "string", multiple: true, default: [] },
  out: { type: "string", default: KEPT },
};
const { values, positionals } = parsed();
/** Rounds of a workload that does not say how many it takes. */
const ROUNDS = 2;

function parsed() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return wrong(error.message);
  }
}

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
if (values.tables) {
  writeAgain(values.out, all);
  process.exit(0);
}
const chosen = [...all.values()].filter(({ name, full }) =>
  positionals.length > 0 ? positionals.includes(name) : values.full || !full,
);
leaveNothing();
const targets = targetsOf(values);
const names = targets.map(({ name }) => name);
const report = new Report(names);
const on = machine();
const began = performance.now();
const failed = [];
console.log(`${on}, commit ${moment().commit}\n${names.join(", ")}`);

for (const workload of chosen) {
  const rounds = Number(values.rounds ?? workload.rounds ?? ROUNDS);
  console.log(`\n${workload.name}: ${workload.about.trim()}${rounds > 1 ? ` Best of ${rounds}.` : ""}`);
  const skipped = new Set();
  const conditions = { machine: on, ...moment(), size: values.full ? "whole sizes" : "short sizes", rounds };
  const started = performance.now();
  const startTicks = ticks();
  const progress = new Progress(rounds);
  for (let round = 0; round < rounds; round++) {
    for (const { target, shownAs, prefix } of targetsFor(workload)) {
      progress.begin(round, `${prefix}${shownAs}`);
      const add = (what, ...figure) => report.add(workload.name, shownAs, `${prefix}${what}`, ...figure);
      try {
        await runWorkload(workload, target, { isFull: values.full, add, skip: (why) => skipped.add(why), progress });
      } catch (error) {
        await untilEnded();
        // The others are measured all the same.
        console.error(`${workload.name} failed on ${target.name}:`, error);
        failed.push(`${workload.name} on ${target.name}`);
        process.exitCode = 1;
      }
    }
  }
  progress.end();
  await untilEnded();
  const seconds = Math.round((performance.now() - started) / 1000);
  const rows = report.rows(workload.name);
  for (const row of rows) console.log(line(row, names, workload.headlines?.[row.what]));
  for (const why of skipped) console.log(`(${why})`);
  const missing = Object.keys(workload.headlines ?? {}).filter((what) => !rows.some((row) => row.what === what));
  if (values.full && skipped.size === 0 && missing.length > 0) {
    console.error(`no figure for ${missing.join("; ")}`);
    process.exitCode = 1;
  }
  const taken = takenSince(startTicks);
  console.log(`(${workload.name}: ${seconds} s${taken > 0 ? `, other machines took ${taken} % of the processor` : ""})`);
  if (rows.length > 0) keep(values.out, all, workload.name, { targets: names, ...conditions, seconds, taken, rows });
}
const { goals, met } = counted(
  chosen.flatMap(({ name, headlines = {} }) => report.rows(name).map((row) => standing(row, names[0], headlines[row.what]))),
);
console.log(`\n${met} of ${goals} goals met, ${Math.round((performance.now() - began) / 60_000)} minutes. Left in ${values.out}`);
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);

/** A workload that compares stores runs on those that it names, whatever the others run on: they become rows of their own. */
function targetsFor({ onStores }) {
  if (onStores === undefined) return targets.map((target) => ({ target, shownAs: target.name, prefix: "" }));
  return onStores.map((store) => ({ target: kybern(store), shownAs: names[0], prefix: `${store}: ` }));
}
