import { expect, test } from "vitest";
import { TurnGate, type Waiters } from "./turn-gate.ts";

/** Turns of an event loop that come when the test says so. */
function turns(): { next: (task: () => void) => void; turn: () => void; planned: () => number } {
  let tasks: (() => void)[] = [];
  return {
    next: (task) => tasks.push(task),
    turn: () => {
      const due = tasks;
      tasks = [];
      for (const task of due) task();
    },
    planned: () => tasks.length,
  };
}

/** So many requests that each take one seat. */
class Crowd implements Waiters {
  waiting: number;
  begun = 0;
  gate: TurnGate | undefined;
  constructor(waiting: number) {
    this.waiting = waiting;
  }
  dispatchOne(): boolean {
    this.waiting--;
    this.begun++;
    this.gate?.take(1);
    return true;
  }
}

test("some requests begin in a turn, and no turn is asked for when nothing begins", () => {
  const { next, turn, planned } = turns();
  const gate = new TurnGate(next, () => []);
  expect([gate.open, planned()]).toEqual([true, 0]);
  for (let i = 0; i < 100 && gate.open; i++) gate.take(1);
  expect([gate.open, planned()]).toEqual([false, 1]);
  turn();
  expect([gate.open, planned()]).toEqual([true, 0]);
});

test("those who wait behind the gate begin in turns, whoever is first", () => {
  const { next, turn } = turns();
  const [many, few] = [new Crowd(1000), new Crowd(5)];
  const gate = new TurnGate(next, () => [many, few]);
  many.gate = gate;
  few.gate = gate;
  gate.take(1000);
  turn();
  expect(few.waiting).toBe(0);
  expect(many.begun).toBeGreaterThan(5);
  expect(many.waiting).toBeGreaterThan(900);
  for (let i = 0; i < 100; i++) turn();
  expect(many.waiting).toBe(0);
});
