import { apply, type Operation, type State } from "./operation.ts";

/** Whether there is an order of a history's operations that one object alone could have seen. */
export type Verdict =
  | { readonly kind: "linearizable" }
  /** `stuck` are those operations of which one had to be next after the longest order that was found, in the state that it leads to. */
  | { readonly kind: "impossible"; readonly state: State; readonly stuck: readonly Operation[] }
  /** More possibilities than were to be tried. */
  | { readonly kind: "undecided" };

/** Possibilities that are tried before a history is given up. */
export const TRIES_MAX = 2_000_000;

/** One operation in the list of calls and returns, in the order of time. */
interface Entry {
  readonly operation: Operation;
  readonly index: number;
  readonly isReturn: boolean;
  before: Entry | undefined;
  after: Entry | undefined;
  readonly other: Entry | undefined;
}

interface Step {
  readonly entry: Entry;
  readonly state: State;
}

/**
 * Looks for a linearization, first without those writes of unknown outcome whose value nobody ever met: they may never have been done,
 * and each of them doubles what there is to try. Only where none is found that way may they explain what was seen.
 */
export function checkLinearizable(operations: readonly Operation[], triesMax: number = TRIES_MAX): Verdict {
  const met = new Set(operations.flatMap(valuesMet));
  const likely = operations.filter(
    ({ call, outcome }) => outcome.kind !== "unknown" || !("value" in call) || met.has(call.value),
  );
  const verdict = search(likely, triesMax);
  return verdict.kind === "linearizable" || likely.length === operations.length ? verdict : search(operations, triesMax);
}

/** Values that a client knew of or was told of. */
function valuesMet({ call, outcome }: Operation): readonly string[] {
  const read = outcome.kind === "ok" ? outcome.value : undefined;
  const expected = "expected" in call ? call.expected : undefined;
  return [read, expected].filter((value) => value !== undefined);
}

/**
 * The search of Wing and Gong, with Lowe's memory of what was tried (and as a list, so that only what runs
 * at one time is tried in different orders). What is unknown may be anywhere after its call, or nowhere. The object is absent at first.
 */
function search(operations: readonly Operation[], triesMax: number): Verdict {
  const head = timeline(operations);
  let left = operations.filter(({ outcome }) => outcome.kind !== "unknown").length;
  const done = new Done(operations);
  const seen = new Set<string>();
  const steps: Step[] = [];
  let state: State;
  let longest = { done: -1, state, stuck: [] as readonly Operation[] };
  let entry = head.after;
  for (let tries = 0; left > 0; tries++) {
    if (tries > triesMax) return { kind: "undecided" };
    const found = nextPossible(entry, state, done, seen);
    if (found !== undefined) {
      steps.push({ entry: found.entry, state });
      state = found.after;
      done.add(found.entry);
      lift(found.entry);
      if (found.entry.other !== undefined) left--;
      entry = head.after;
      continue;
    }
    if (done.size > longest.done) longest = { done: done.size, state, stuck: running(head) };
    const last = steps.pop();
    if (last === undefined) return { kind: "impossible", state: longest.state, stuck: longest.stuck };
    state = last.state;
    done.remove(last.entry);
    unlift(last.entry);
    if (last.entry.other !== undefined) left++;
    entry = last.entry.after;
  }
  return { kind: "linearizable" };
}

/** The next operation from an entry on that can come now and has not been tried; none behind the first return. */
function nextPossible(
  from: Entry | undefined,
  state: State,
  done: Done,
  seen: Set<string>,
): { readonly entry: Entry; readonly after: State } | undefined {
  for (let entry = from; entry !== undefined && !entry.isReturn; entry = entry.after) {
    const next = apply(state, entry.operation);
    if (next === "impossible") continue;
    // What nobody knows of is no help where it changes nothing.
    if (entry.other === undefined && next.after === state) continue;
    const key = `${done.keyWith(entry)}|${next.after}`;
    if (seen.has(key)) continue;
    seen.add(key);
    return { entry, after: next.after };
  }
  return undefined;
}

function running(head: Entry): readonly Operation[] {
  const found: Operation[] = [];
  for (let entry = head.after; entry !== undefined && !entry.isReturn; entry = entry.after) found.push(entry.operation);
  return found;
}

/** Calls and returns by time; a call comes before a return of the same moment, which allows more. Calls of unknown outcome never return. */
function timeline(operations: readonly Operation[]): Entry {
  const entries: Entry[] = [];
  operations.forEach((operation, index) => {
    const back: Entry | undefined =
      operation.outcome.kind === "unknown"
        ? undefined
        : { operation, index, isReturn: true, before: undefined, after: undefined, other: undefined };
    if (back !== undefined) entries.push(back);
    entries.push({ operation, index, isReturn: false, before: undefined, after: undefined, other: back });
  });
  const at = ({ operation, isReturn }: Entry): number => (isReturn ? operation.returned : operation.invoked);
  // Of those called at one moment what is known comes first.
  const rank = ({ isReturn, other }: Entry): number => (isReturn ? 2 : other === undefined ? 1 : 0);
  entries.sort((a, b) => at(a) - at(b) || rank(a) - rank(b));
  const [first] = entries;
  const head: Entry = {
    operation: { client: "", call: { kind: "read" }, outcome: { kind: "unknown" }, invoked: 0, returned: 0 },
    index: -1,
    isReturn: false,
    before: undefined,
    after: first,
    other: undefined,
  };
  entries.forEach((entry, i) => {
    entry.before = i === 0 ? head : entries[i - 1];
    entry.after = entries[i + 1];
  });
  return head;
}

/** Takes a call, and its return, out of the list. */
function lift(entry: Entry): void {
  remove(entry);
  if (entry.other !== undefined) remove(entry.other);
}

/** Puts back what was taken out last. */
function unlift(entry: Entry): void {
  if (entry.other !== undefined) restore(entry.other);
  restore(entry);
}

function remove(entry: Entry): void {
  if (entry.before !== undefined) entry.before.after = entry.after;
  if (entry.after !== undefined) entry.after.before = entry.before;
}

function restore(entry: Entry): void {
  if (entry.before !== undefined) entry.before.after = entry;
  if (entry.after !== undefined) entry.after.before = entry;
}

/** Which operations have been put in order, with a short name for each such set: few run at one time. */
class Done {
  readonly #order: readonly number[];
  readonly #place = new Map<number, number>();
  readonly #known = new Set<number>();
  readonly #unknown = new Set<number>();
  /** All of those that are known are done before this place. */
  #low = 0;

  constructor(operations: readonly Operation[]) {
    const known = operations.flatMap(({ outcome }, index) => (outcome.kind === "unknown" ? [] : [index]));
    this.#order = known.sort((a, b) => (operations[a]?.invoked ?? 0) - (operations[b]?.invoked ?? 0));
    this.#order.forEach((index, place) => {
      this.#place.set(index, place);
    });
  }

  get size(): number {
    return this.#known.size + this.#unknown.size;
  }

  add({ index }: Entry): void {
    const place = this.#place.get(index);
    if (place === undefined) {
      this.#unknown.add(index);
      return;
    }
    this.#known.add(place);
    while (this.#known.has(this.#low)) this.#low++;
  }

  remove({ index }: Entry): void {
    const place = this.#place.get(index);
    if (place === undefined) {
      this.#unknown.delete(index);
      return;
    }
    this.#known.delete(place);
    this.#low = Math.min(this.#low, place);
  }

  keyWith(entry: Entry): string {
    this.add(entry);
    const above: number[] = [];
    for (let place = this.#low, left = this.#known.size - this.#low; left > 0; place++) {
      if (!this.#known.has(place)) continue;
      above.push(place);
      left--;
    }
    const key = `${this.#low}:${above.join(",")}:${[...this.#unknown].sort((a, b) => a - b).join(",")}`;
    this.remove(entry);
    return key;
  }
}
