// Sets figures against upstream's and against what is wanted.
import { timesBetter } from "./report.mjs";

/**
 * What a headline of a workload (`headlines` of its file, by row) comes to for a figure: how many times better than `upstream` it is,
 * and whether the `goal` is met, which may be given as so many `times` upstream's figure. Undefined where the row is no headline.
 */
export function standing(row, target, headline) {
  const value = row.figures[target]?.value;
  if (headline === undefined || value === undefined) return undefined;
  const { upstream, times } = headline;
  const goal = headline.goal ?? (times === undefined ? undefined : goalOf(row, upstream, times));
  return {
    ...(upstream === undefined ? {} : { upstream, timesUpstream: timesBetter(row, value, upstream) }),
    ...(goal === undefined ? {} : { goal, isMet: row.less ? value <= goal : value >= goal }),
  };
}

function goalOf({ less }, upstream, times) {
  return Number((less ? upstream / times : upstream * times).toPrecision(4));
}

/** How many of some standings have a goal, and how many of these are met. */
export function counted(standings) {
  const withGoal = standings.filter((one) => one?.goal !== undefined);
  return { goals: withGoal.length, met: withGoal.filter(({ isMet }) => isMet).length };
}
