/** Bounds of the seats of a priority level, and how many it wants. */
export interface LevelDemand {
  readonly minimum: number;
  readonly maximum: number;
  readonly target: number;
}

/** Halvings of the search for the fair share: enough for any number of seats. */
const STEPS = 60;

/**
 * Shares seats between levels: each gets its target times one common factor, within its bounds (upstream's
 * `computeConcurrencyAllocation`). Sums to at most `total` unless the minima are more.
 */
export function allocateSeats(total: number, levels: readonly LevelDemand[]): readonly number[] {
  const share = ({ minimum, maximum, target }: LevelDemand, factor: number): number =>
    Math.min(maximum, Math.max(minimum, target * factor));
  const sum = (factor: number): number => levels.reduce((all, level) => all + share(level, factor), 0);
  let low = 0;
  let high = Math.max(1, ...levels.map(({ maximum, target }) => (target > 0 ? maximum / target : 0)));
  if (sum(high) <= total) low = high;
  for (let step = 0; step < STEPS && low < high; step++) {
    const middle = (low + high) / 2;
    if (sum(middle) > total) high = middle;
    else low = middle;
  }
  return levels.map((level) => Math.max(1, Math.round(share(level, low))));
}
