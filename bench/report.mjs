// Collects the figures of a run, of every target beside one another.

/** The best of what each workload measured over several rounds, for each target. */
export class Report {
  #targets;
  /** By workload and what was measured; each holds a figure by target. */
  #rows = new Map();

  constructor(targets) {
    this.#targets = targets;
  }

  /** `cpuMicros` is the server's processor time per operation: it hardly depends on what else the machine does. */
  add(workload, target, what, value, unit, { less = false, ...more } = {}) {
    const key = `${workload}\n${what}`;
    const row = this.#rows.get(key) ?? { workload, what, unit, less, figures: {} };
    this.#rows.set(key, row);
    const known = row.figures[target];
    if (known !== undefined && (less ? known.value <= value : known.value >= value)) return;
    // A server whose processes are not known has none.
    if (more.cpuMicros === undefined || Number.isNaN(more.cpuMicros)) delete more.cpuMicros;
    else more.cpuMicros = Math.round(more.cpuMicros);
    row.figures[target] = { value, ...more };
  }

  /** The rows of a workload, each with how many times better the first target is than each other. */
  rows(workload) {
    return [...this.#rows.values()]
      .filter((row) => row.workload === workload)
      .map(({ workload: _, ...row }) => {
        const [first, ...others] = this.#targets.map((target) => row.figures[target]?.value);
        const times = others.map((value) =>
          first === undefined || value === undefined ? undefined : timesBetter(row, first, value),
        );
        return { ...row, times };
      });
  }
}

/** How many times better a figure of a row is than another; undefined beside nothing. */
export function timesBetter({ less }, value, than) {
  const times = less ? than / value : value / than;
  return Number.isFinite(times) ? Number(times.toFixed(2)) : undefined;
}
