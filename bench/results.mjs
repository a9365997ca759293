// Keeps results: as data, as tables, as drawings, and in the page that tells of them.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { plot } from "./plot.mjs";
import { report, summary } from "./tables.mjs";

/** The results that are kept in the tree, and the page that begins with them. */
export const KEPT = fileURLToPath(new URL("results/", import.meta.url));
export const PAGE = fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url));
const BEGIN = "<!-- Written by `npm run bench`: begin -->";
const END = "<!-- Written by `npm run bench`: end -->";

/** What `latest.json` of a folder holds, in the order of the workloads that there are. */
export function kept(folder, workloads) {
  let known;
  try {
    known = JSON.parse(readFileSync(join(folder, "latest.json"), "utf8"));
  } catch {
    return [];
  }
  return [...workloads.values()]
    .filter(({ name }) => Array.isArray(known[name]?.rows))
    .map((workload) => described(workload, known[workload.name]));
}

function described({ name, about, grid, headlines }, result) {
  return { name, about: about.trim(), grid, headlines, ...result };
}

/** Puts a workload's figures beside those that others have left, so that a run that is broken off has not been in vain. */
export function keep(folder, workloads, name, result) {
  mkdirSync(folder, { recursive: true });
  const others = kept(folder, workloads).filter((one) => one.name !== name);
  const order = [...workloads.keys()];
  const all = [...others, described(workloads.get(name), result)];
  write(
    folder,
    all.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name)),
    [name],
  );
}

/** Writes what is kept in a folder once more, after goals or tables have changed. */
export function writeAgain(folder, workloads) {
  const all = kept(folder, workloads);
  write(
    folder,
    all,
    all.map(({ name }) => name),
  );
}

function write(folder, results, drawn) {
  const data = results.map(({ name, about: _about, grid: _grid, headlines: _headlines, ...result }) => [name, result]);
  save(join(folder, "latest.json"), `${JSON.stringify(Object.fromEntries(data), null, 2)}\n`);
  save(join(folder, "latest.md"), report(results));
  for (const result of results.filter(({ name }) => drawn.includes(name))) save(join(folder, `${result.name}.svg`), plot(result));
  if (join(folder, ".") === join(KEPT, ".")) save(PAGE, withBlock(readFileSync(PAGE, "utf8"), block(results)));
}

/** What of the results stands in the page. */
export function block(results) {
  const conditions = [...new Set(results.map(({ machine, date }) => `${machine}, ${date}`))];
  return `${conditions.join("; ")}.\n\n${summary(results)}`;
}

/** The text between the marks of a page. */
export function blockOf(page) {
  return page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)).trim();
}

function withBlock(page, text) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for results`);
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`;
}

/** Whole or not at all: whoever reads the results while they are written sees the last ones. */
function save(target, content) {
  try {
    writeFileSync(`${target}.tmp`, content);
    renameSync(`${target}.tmp`, target);
  } finally {
    rmSync(`${target}.tmp`, { force: true });
  }
}
