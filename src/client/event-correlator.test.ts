import { expect, test } from "vitest";
import { EventCorrelator } from "./event-correlator.ts";

const reference = { kind: "Pod", apiVersion: "v1", namespace: "ns", name: "p" };
const draft = (message: string) => ({ reference, type: "Normal", reason: "R", message });

test("the same event again counts up the first one", () => {
  const correlator = new EventCorrelator();
  const first = correlator.correlate(draft("m"), 0);
  if (first.type !== "create") throw new Error(first.type);
  correlator.created(first.key, "p.1", 0);
  expect(correlator.correlate(draft("m"), 1000)).toEqual({
    type: "update",
    key: first.key,
    message: "m",
    name: "p.1",
    count: 2,
    firstTimestampMs: 0,
  });
});

test("from the tenth different message on, similar events are told as one", () => {
  const correlator = new EventCorrelator();
  const messages: string[] = [];
  for (let i = 0; i < 11; i++) {
    const result = correlator.correlate(draft(`m${i}`), i);
    if (result.type === "drop") throw new Error("dropped");
    if (result.type === "create") correlator.created(result.key, `p.${i}`, i);
    messages.push(`${result.type} ${result.message}`);
  }
  expect(messages.slice(8)).toEqual([
    "create m8",
    "create (combined from similar events): m9",
    "update (combined from similar events): m10",
  ]);
});

test("after 25 events about one object the rest is dropped, until time has passed", () => {
  const correlator = new EventCorrelator();
  const types = Array.from({ length: 26 }, () => correlator.correlate(draft("m"), 0).type);
  expect(types.filter((type) => type === "drop").length).toBe(1);
  expect(correlator.correlate(draft("m"), 300_000).type).not.toBe("drop");
});
