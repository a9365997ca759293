/** How many pods a Deployment was told to have, from a revision on. */
export interface Wanted {
  readonly revision: number;
  readonly replicas: number;
}

/** A pod that came to be, or that is no more or about to end. */
export interface PodChange {
  readonly revision: number;
  readonly pod: string;
  readonly lives: boolean;
}

/** A controller may still act by what was wanted before. */
const FORMER_WANTED = 2;

/**
 * Times at which there were more pods than anybody had wanted lately: something was done twice. Both in the order of revisions; pods are
 * of one Deployment, whose template does not change. `from` are those that lived before the first change.
 */
export function excesses(
  wanted: readonly Wanted[],
  changes: readonly PodChange[],
  from: Iterable<string> = [],
): readonly string[] {
  const living = new Set<string>(from);
  return changes.flatMap(({ revision, pod, lives }) => {
    const isNew = lives && !living.has(pod);
    if (lives) living.add(pod);
    else living.delete(pod);
    if (!isNew) return [];
    const lately = wanted.filter((one) => one.revision <= revision).slice(-1 - FORMER_WANTED);
    const most = Math.max(0, ...lately.map(({ replicas }) => replicas));
    return living.size > most ? [`${pod} at ${revision} was one of ${living.size} where ${most} were wanted`] : [];
  });
}

/** Where Deployments do not have the pods that they should, all of which run, by one ReplicaSet: templates do not change. */
export function wrongNumbers(
  wanted: ReadonlyMap<string, number>,
  pods: readonly { readonly app: string; readonly runs: boolean }[],
  replicaSets: readonly string[],
): string[] {
  return [...wanted].flatMap(([name, replicas]) => {
    const own = pods.filter(({ app }) => app === name);
    const running = own.filter(({ runs }) => runs).length;
    const sets = replicaSets.filter((app) => app === name).length;
    const isRight = own.length === replicas && running === replicas && sets === 1;
    return isRight ? [] : [`${name}: ${own.length} pods of ${sets} ReplicaSets, ${running} run, of ${replicas}`];
  });
}
