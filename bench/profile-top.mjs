// Prints where a profile of Node's says that the processor's time went: node bench/profile-top.mjs FILE.cpuprofile [how many lines]
import { readFileSync } from "node:fs";
import { basename } from "node:path";

const [file, count = "25"] = process.argv.slice(2);
if (file === undefined) {
  console.error("node bench/profile-top.mjs FILE.cpuprofile [how many lines]");
  process.exit(2);
}
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8"));
const byId = new Map(nodes.map((node) => [node.id, node]));
const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
const nameOf = ({ callFrame: { functionName, url, lineNumber } }) =>
  `${functionName || "(anonymous)"}${url === "" ? "" : ` ${basename(url)}:${lineNumber + 1}`}`;

const own = new Map();
const within = new Map();
let total = 0;
for (const [i, id] of samples.entries()) {
  const micros = timeDeltas[i];
  const name = nameOf(byId.get(id));
  // A machine that waits is no cost.
  if (name === "(idle)") continue;
  total += micros;
  own.set(name, (own.get(name) ?? 0) + micros);
  const seen = new Set();
  for (let at = id; at !== undefined; at = parents.get(at)) seen.add(nameOf(byId.get(at)));
  for (const one of seen) within.set(one, (within.get(one) ?? 0) + micros);
}
const percent = (micros) => `${((100 * micros) / total).toFixed(1)} %`.padStart(7);
console.log(`${(total / 1e6).toFixed(2)} s on the processor\n   own  with what it calls`);
for (const [name, micros] of [...own].sort((a, b) => b[1] - a[1]).slice(0, Number(count)))
  console.log(`${percent(micros)} ${percent(within.get(name))}  ${name}`);
