/** The kernel's least and most shares, and what a whole processor has. */
export const SHARES_MIN = 2;
const SHARES_MAX = 262_144;
const SHARES_PER_CPU = 1024;
const MILLI_PER_CPU = 1000;
/** The kernel refuses less, in microseconds. */
const QUOTA_MIN_US = 1000;
/** How long a period of the quota is where nothing is said, in microseconds. */
export const CPU_PERIOD_US = 100_000;
const WEIGHT_MAX = 9999;

/** Shares of processor time for thousandths of a processor (upstream's `MilliCPUToShares`). */
export function sharesOf(milliCpu: number): number {
  const shares = Math.trunc((milliCpu * SHARES_PER_CPU) / MILLI_PER_CPU);
  return Math.min(SHARES_MAX, Math.max(SHARES_MIN, shares));
}

/** How many microseconds of each period may be used; 0 for no limit (upstream's `MilliCPUToQuota`). */
export function quotaOf(milliCpu: number, periodUs: number): number {
  if (milliCpu === 0) return 0;
  return Math.max(QUOTA_MIN_US, Math.trunc((milliCpu * periodUs) / MILLI_PER_CPU));
}

/** What shares are called in cgroup v2, 1 to 10000 (upstream's `CPUSharesToCPUWeight`). */
export function weightOf(shares: number): number {
  return Math.trunc(((shares - SHARES_MIN) * WEIGHT_MAX) / (SHARES_MAX - SHARES_MIN)) + 1;
}
