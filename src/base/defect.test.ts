import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { DEFECT_CHANNEL, isDefect, noteDefect } from "./defect.ts";

function thrownBy(mistake: () => unknown): unknown {
  try {
    mistake();
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each([
  { name: "a property of nothing", mistake: () => (null as unknown as { spec: object }).spec, want: true },
  { name: "a number out of range", mistake: () => "x".repeat(-1), want: true },
  { name: "a name that nobody declared", mistake: () => new Function("return undeclared")(), want: true },
  { name: "an address from outside that is none", mistake: () => new URL("no address"), want: false },
  { name: "text from outside that is no JSON", mistake: () => JSON.parse("{"), want: false },
])("$name: is a defect: $want", ({ mistake, want }) => {
  expect(isDefect(thrownBy(mistake))).toBe(want);
});

test("defects are published, and nothing else", () => {
  const seen: unknown[] = [];
  const listen = (notice: unknown): void => void seen.push(notice);
  subscribe(DEFECT_CHANNEL, listen);
  const error = new TypeError("x is not a function");
  noteDefect("a controller", error);
  noteDefect("a controller", new Error("not found"));
  unsubscribe(DEFECT_CHANNEL, listen);
  noteDefect("a controller", error);
  expect(seen).toEqual([{ where: "a controller", error }]);
});
