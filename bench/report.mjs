/**
 * What upstream v1.36 with etcd showed on a machine of two cores, and how many times better this server is to be.
 * Times and memory are better when less, rates when more.
 */
const UPSTREAM = {
  "start to /readyz, new data": { value: 2900, goal: 2.9, less: true },
  "idle memory": { value: 523, goal: 2.6, less: true },
  "creates, 1 client": { value: 485, goal: 3 },
  "creates, 64 clients": { value: 1494, goal: 3 },
  "etcd: creates, 64 clients": { value: 1494, goal: 3 },
  "etcd, JSON: creates, 64 clients": { value: 1494, goal: 3 },
  "gets, 1 client": { value: 696, goal: 5 },
  "gets, 64 clients": { value: 1855, goal: 5 },
  "LIST of 5,000 pods": { value: 195, goal: 5, less: true },
  "LIST of 5,000 Pods, JSON": { value: 195, goal: 5, less: true },
  // Upstream's end-to-end test of a webhook, with what it sets up and takes down.
  "webhook registered, obeyed, removed": { value: 3400, goal: 3, less: true },
  "memory under load": { value: 900, less: true },
  "watch events to 1,000 watchers": { value: 88_000, goal: 3 },
};

/** Keeps the best of what each workload measured over several rounds. */
export class Report {
  #rows = new Map();
  #printed = new Set();

  /** `cpuMicros` is the server's processor time per operation: it hardly depends on what else the machine does. */
  add(what, value, unit, { less = false, cpuMicros, note } = {}) {
    const known = this.#rows.get(what);
    if (known && (less ? known.value <= value : known.value >= value)) return;
    this.#rows.set(what, {
      what,
      value,
      unit,
      ...(cpuMicros === undefined ? {} : { cpuMicros: Math.round(cpuMicros) }),
      ...(note ? { note } : {}),
    });
  }

  rows() {
    return [...this.#rows.values()].map((row) => {
      const upstream = UPSTREAM[row.what];
      if (upstream === undefined) return row;
      const ratio = upstream.less ? upstream.value / row.value : row.value / upstream.value;
      return {
        ...row,
        upstream: upstream.value,
        timesBetter: Number(ratio.toFixed(1)),
        ...(upstream.goal ? { goal: upstream.goal } : {}),
      };
    });
  }

  /** Prints what has not been printed yet. */
  print() {
    for (const row of this.rows()) {
      if (this.#printed.has(row.what)) continue;
      this.#printed.add(row.what);
      const parts = [row.what.padEnd(38), String(row.value).padStart(9), row.unit.padEnd(4)];
      parts.push(row.cpuMicros === undefined ? "".padEnd(15) : `${row.cpuMicros} µs CPU/op`.padStart(15));
      if (row.upstream !== undefined) {
        const missed = row.goal !== undefined && row.timesBetter < row.goal ? ", MISSED" : "";
        parts.push(`  ${row.timesBetter} × upstream's ${row.upstream}${row.goal ? ` (goal ${row.goal} ×${missed})` : ""}`);
      }
      if (row.note) parts.push(`  ${row.note}`);
      console.log(parts.join(" ").trimEnd());
    }
  }
}
