import { expect, test } from "vitest";
import { EventCorrelator } from "./event-correlator.ts";

const reference = { kind: "Pod", apiVersion: "v1", namespace: "ns", name: "p" };
const draft = (message: string) => ({ reference, type: "Normal", reason: "R", message });

const newCorrelator = () => {
  let made = 0;
  return new EventCorrelator(({ reference }) => `${reference.name}.${++made}`);
};

test("the same event again counts up the first one", () => {
  const correlator = newCorrelator();
  const first = correlator.correlate(draft("m"), 0);
  expect(first).toMatchObject({ type: "create", event: { name: "p.1", message: "m", count: 1, firstMs: 0, lastMs: 0 } });
  expect(correlator.correlate(draft("m"), 1000)).toMatchObject({
    type: "update",
    event: { name: "p.1", message: "m", count: 2, firstMs: 0, lastMs: 1000 },
  });
});

test("from the tenth different message on, similar events are told as one", () => {
  const correlator = newCorrelator();
  const results = Array.from({ length: 11 }, (_, i) => correlator.correlate(draft(`m${i}`), i));
  const told = results.map((result) => (result.type === "drop" ? "drop" : `${result.type} ${result.event.message}`));
  expect(told.slice(8)).toEqual([
    "create m8",
    "create (combined from similar events): m9",
    "update (combined from similar events): m10",
  ]);
});

test("after 25 events about one object the rest is dropped, until time has passed", () => {
  const correlator = newCorrelator();
  const types = Array.from({ length: 26 }, () => correlator.correlate(draft("m"), 0).type);
  expect(types.filter((type) => type === "drop").length).toBe(1);
  expect(correlator.correlate(draft("m"), 300_000).type).not.toBe("drop");
});
