/** Oldest patch release of each minor one whose answers to progress requests never overtake events. */
const ORDERED_SINCE: Readonly<Record<number, number>> = { 4: 31, 5: 13 };

/**
 * Whether a member of this version tells the truth when asked for progress: older ones answer past the events that are still on
 * their way (etcd issues 15220 and 17507; upstream's feature checker draws the same line).
 */
export function answersProgressInOrder(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  if (major !== 3) return major > 3;
  if (minor > 5) return true;
  const since = ORDERED_SINCE[minor];
  return since !== undefined && patch >= since;
}
