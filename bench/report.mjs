// Keeps the figures of a run, of every target beside one another, and sets them against upstream's and each other.

/** The best of what each workload measured over several rounds, for each target. */
export class Report {
  #targets;
  /** By what was measured; each holds a figure by target. */
  #rows = new Map();
  #upstream;

  /** `upstream` is what upstream showed on a machine of this size, by what was measured, as `{ value, goal }`. */
  constructor(targets, upstream) {
    this.#targets = targets;
    this.#upstream = upstream;
  }

  /** `cpuMicros` is the server's processor time per operation: it hardly depends on what else the machine does. */
  add(workload, target, what, value, unit, { less = false, ...more } = {}) {
    const row = this.#rows.get(what) ?? { workload, what, unit, less, figures: {} };
    this.#rows.set(what, row);
    const known = row.figures[target];
    if (known !== undefined && (less ? known.value <= value : known.value >= value)) return;
    if (more.cpuMicros !== undefined) more.cpuMicros = Math.round(more.cpuMicros);
    row.figures[target] = { value, ...more };
  }

  /** Each with how many times better the first target is than each other, and than upstream's figure. */
  rows() {
    return [...this.#rows.values()].map((row) => {
      const [first, ...others] = this.#targets.map((target) => row.figures[target]?.value);
      const better = (than) => Number((row.less ? than / first : first / than).toFixed(2));
      const times = others.map((value) => (first === undefined || value === undefined ? undefined : better(value)));
      const upstream = this.#upstream[row.what];
      if (upstream === undefined || first === undefined) return { ...row, times };
      return { ...row, times, upstream: { ...upstream, times: better(upstream.value) } };
    });
  }
}

/** A row as a line for a terminal. */
export function line(row, targets) {
  const first = row.figures[targets[0]];
  const parts = [row.what.padEnd(46), String(first?.value ?? "–").padStart(9), row.unit.padEnd(4)];
  const details = [];
  for (const [i, target] of targets.slice(1).entries()) {
    const figure = row.figures[target];
    if (figure !== undefined) details.push(`${row.times[i]} × ${target}'s ${figure.value}`);
  }
  if (first?.cpuMicros !== undefined) details.push(`${first.cpuMicros} µs CPU/op`);
  if (first?.p50Ms !== undefined) details.push(`${first.p50Ms} ms, p99 ${first.p99Ms}`);
  if (row.upstream !== undefined) details.push(againstUpstream(row.upstream));
  if (first?.note !== undefined) details.push(first.note);
  return `${parts.join(" ")}  ${details.join("; ")}`.trimEnd();
}

function againstUpstream({ value, times, goal }) {
  if (goal === undefined) return `${times} × upstream's ${value}`;
  return `${times} × upstream's ${value} (goal ${goal} ×${times < goal ? ", MISSED" : ""})`;
}

/** All results as tables in Markdown: one for the workloads that were run under the same conditions. */
export function tables(results) {
  const groups = new Map();
  for (const result of results) {
    const key = JSON.stringify([result.conditions, result.targets]);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  const parts = [...groups].map(([, group]) => {
    const [{ conditions, targets }] = group;
    return `${conditions}.\n\n${table(
      group.flatMap(({ rows }) => rows),
      targets,
    )}`;
  });
  return `# Results of \`npm run bench\`\n\n${parts.join("\n")}`;
}

function table(rows, targets) {
  const others = targets.slice(1);
  const head = [
    "what",
    targets[0],
    "CPU per op",
    "p50, p99",
    ...others.flatMap((target) => [target, "times"]),
    "upstream",
    "times (goal)",
  ];
  const lines = rows.map((row) => {
    const first = row.figures[targets[0]];
    const cells = [row.what, figureText(first, row.unit), first?.cpuMicros === undefined ? "" : `${first.cpuMicros} µs`];
    cells.push(first?.p50Ms === undefined ? "" : `${first.p50Ms} ms, ${first.p99Ms} ms`);
    for (const [i, target] of others.entries()) cells.push(figureText(row.figures[target], row.unit), String(row.times[i] ?? ""));
    const { upstream } = row;
    cells.push(upstream === undefined ? "" : `${upstream.value} ${row.unit}`);
    cells.push(upstream === undefined ? "" : `${upstream.times}${upstream.goal === undefined ? "" : ` (${upstream.goal})`}`);
    return `| ${cells.join(" | ")} |`;
  });
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...lines, ""].join("\n");
}

function figureText(figure, unit) {
  if (figure === undefined) return "–";
  return `${figure.value.toLocaleString("en")} ${unit}${figure.note === undefined ? "" : ` (${figure.note})`}`;
}
