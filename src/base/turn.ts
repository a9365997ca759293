/** Calls a task in the event loop's next turn, when what came in meanwhile has been looked at. */
export type NextTurn = (task: () => void) => void;

/** The event loop's own. */
export const nextTurn: NextTurn = (task) => {
  setImmediate(task);
};
