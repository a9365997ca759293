// Results as lines for a terminal, and as tables in Markdown.
import { counted, standing } from "./goals.mjs";

/** Processor time is told in milliseconds from here on. */
const MILLISECONDS_FROM_MICROS = 10_000;

/** A row as a line for a terminal. */
export function line(row, targets, headline) {
  const [target, ...others] = targets;
  const first = row.figures[target];
  const parts = [row.what.padEnd(46), String(first?.value ?? "–").padStart(9), row.unit.padEnd(4)];
  const details = [];
  for (const [i, other] of others.entries()) {
    const figure = row.figures[other];
    if (figure !== undefined) details.push(`${row.times[i] ?? "–"} × ${other}'s ${figure.value}`);
  }
  if (first?.cpuMicros !== undefined) details.push(`${first.cpuMicros} µs CPU/op`);
  if (first?.p50Ms !== undefined) details.push(`${first.p50Ms} ms, p99 ${first.p99Ms}`);
  const { upstream, timesUpstream, goal, isMet } = standing(row, target, headline) ?? {};
  if (upstream !== undefined) details.push(`${timesUpstream} × upstream's ${upstream}`);
  if (goal !== undefined) details.push(`goal ${goal} ${row.unit}${isMet ? "" : ", MISSED"}`);
  if (first?.note !== undefined) details.push(first.note);
  return `${parts.join(" ")}  ${details.join("; ")}`.trimEnd();
}

/**
 * Where the first target stands: the headlines of all workloads. `results` are as `latest.json` has them, with the `headlines` of
 * their workloads.
 */
export function summary(results) {
  const lines = [];
  const all = [];
  for (const { rows, targets, headlines = {} } of results) {
    const [target] = targets;
    for (const row of rows) {
      const found = standing(row, target, headlines[row.what]);
      if (found === undefined) continue;
      all.push(found);
      lines.push([row.what, amount(row, target), ...verdict(found, row.unit), cpu(row.figures[target])]);
    }
  }
  const { goals, met } = counted(all);
  const table = markdown(["what", "Kybern", "goal", "", "upstream", "times upstream's", "server CPU per operation"], lines);
  return `${met} of ${goals} goals are met.\n\n${table}`;
}

function verdict({ upstream, timesUpstream, goal, isMet }, unit) {
  const text = (value) => (value === undefined ? "" : `${number(value)} ${unit}`);
  return [text(goal), goal === undefined ? "" : isMet ? "met" : "**missed**", text(upstream), timesUpstream ?? ""];
}

/** All results in Markdown: the summary, and every workload with what it is and what it was measured under. */
export function report(results) {
  const machines = [...new Set(results.map((result) => result.machine))];
  const sections = results.map((result) => {
    const on = machines.length > 1 ? `${result.machine}. ` : "";
    return `## ${result.name}\n\n${result.about}\n\n${on}${conditions(result)}.\n\n${workloadTable(result)}`;
  });
  const machine = machines.length > 1 ? "" : `${machines[0]}.\n\n`;
  const legend = "CPU per op is the server's processor time, all threads; p50 and p99 are as clients see them.";
  return `# Results of \`npm run bench\`\n\n${machine}${summary(results)}\n${legend}\n\n${sections.join("\n")}`;
}

/** What a workload was measured under, in a line. */
function conditions({ size, rounds, seconds, taken = 0, load, commit, date }) {
  const best = rounds > 1 ? `best of ${rounds} rounds` : "one round";
  const duration = seconds === undefined ? [] : [`${seconds} s`];
  const others = taken > 0 ? [`${taken} % of the processor taken by other machines`] : [];
  return [size, best, ...duration, `load ${load} before`, ...others, `commit ${commit}`, date].join(", ");
}

function workloadTable({ grid, rows, targets, headlines = {} }) {
  if (grid) return targets.map((target) => gridTable(rows, target, targets.length > 1)).join("\n");
  const [target, ...others] = targets;
  const hasCpu = rows.some((row) => row.figures[target]?.cpuMicros !== undefined);
  const hasTimes = rows.some((row) => row.figures[target]?.p50Ms !== undefined);
  const standings = rows.map((row) => standing(row, target, headlines[row.what]));
  const hasGoals = standings.some((one) => one?.goal !== undefined || one?.upstream !== undefined);
  const head = ["what", target, ...(hasCpu ? ["CPU per op"] : []), ...(hasTimes ? ["p50, p99"] : [])];
  for (const other of others) head.push(other, "times");
  if (hasGoals) head.push("goal", "", "upstream", "times upstream's");
  const lines = rows.map((row, i) => {
    const first = row.figures[target];
    const cells = [row.what, `${amount(row, target)}${first?.note === undefined ? "" : ` (${first.note})`}`];
    if (hasCpu) cells.push(cpu(first));
    if (hasTimes) cells.push(first?.p50Ms === undefined ? "" : `${first.p50Ms} ms, ${first.p99Ms} ms`);
    for (const [at, other] of others.entries()) {
      const theirs = cpu(row.figures[other]);
      cells.push(`${amount(row, other)}${theirs === "" ? "" : `, ${theirs}`}`, row.times[at] ?? "");
    }
    if (hasGoals) cells.push(...verdict(standings[i] ?? {}, row.unit));
    return cells;
  });
  return markdown(head, lines);
}

/** Rows whose names have a comma, as a table: what is before it by what is behind it. */
function gridTable(rows, target, isOneOfMany) {
  const split = (what) => [what.slice(0, what.indexOf(", ")), what.slice(what.indexOf(", ") + 2)];
  const names = [...new Set(rows.map(({ what }) => split(what)[0]))];
  const columns = [...new Set(rows.map(({ what }) => split(what)[1]))];
  const lines = names.map((name) => [
    name,
    ...columns.map((column) => {
      const figure = rows.find(({ what }) => what === `${name}, ${column}`)?.figures[target];
      if (figure === undefined) return "";
      return `${number(figure.value)}${figure.cpuMicros === undefined ? "" : ` (${figure.cpuMicros} µs)`}`;
    }),
  ]);
  return `${isOneOfMany ? `${target}: ` : ""}${rows[0]?.unit ?? ""} (CPU per op)\n\n${markdown(["", ...columns], lines)}`;
}

function markdown(head, lines) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  return [row(head), `|${head.map(() => "---").join("|")}|`, ...lines.map(row), ""].join("\n");
}

function amount(row, target) {
  const figure = row.figures[target];
  return figure === undefined ? "–" : `${number(figure.value)} ${row.unit}`;
}

function cpu(figure) {
  const { cpuMicros } = figure ?? {};
  if (cpuMicros === undefined) return "";
  return cpuMicros < MILLISECONDS_FROM_MICROS ? `${number(cpuMicros)} µs` : `${number(cpuMicros / 1_000)} ms`;
}

function number(value) {
  return value.toLocaleString("en");
}
