import { expect, test } from "vitest";
import type { Pod, Service } from "#api/generated/core/v1.ts";
import { TriggerTimes } from "./trigger-times.ts";

const CREATED = "2030-01-01T00:00:00Z";
const service: Service = { metadata: { name: "web", creationTimestamp: CREATED }, spec: {} };
const at = (second: number): string => `2030-01-01T00:00:0${second}Z`;

function pod(name: string, readySince?: string): Pod {
  const conditions = readySince === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: readySince }];
  return { metadata: { name }, spec: { containers: [] }, status: { conditions } };
}

test("tells of each change once, by the time of the oldest new one", () => {
  const times = new TriggerTimes();
  expect(times.next("web", service, [pod("a", at(2)), pod("b", at(1))])).toBe(CREATED);
  expect(times.next("web", service, [pod("a", at(2)), pod("b", at(1))])).toBeUndefined();
  expect(times.next("web", service, [pod("a", at(5)), pod("b", at(4)), pod("c")])).toBe(at(4));
});

test.each<{ readonly how: string; readonly between: readonly Pod[] }>([
  { how: "went", between: [pod("b", at(1))] },
  { how: "had no time", between: [pod("a"), pod("b", at(1))] },
  { how: "went as another came", between: [pod("b", at(1)), pod("c", at(1))] },
])("a pod that $how and is back as it was counts as new", ({ between }) => {
  const times = new TriggerTimes();
  const both = [pod("a", at(2)), pod("b", at(1))];
  times.next("web", service, both);
  times.next("web", service, between);
  expect(times.next("web", service, both)).toBe(at(2));
});

test("a Service that was forgotten, or made anew, tells of its own creation", () => {
  const times = new TriggerTimes();
  times.next("web", service, []);
  expect(times.next("web", service, [])).toBeUndefined();
  expect(times.next("web", { metadata: { name: "web", creationTimestamp: at(9) }, spec: {} }, [])).toBe(at(9));
  times.forget("web");
  expect(times.next("web", service, [])).toBe(CREATED);
});

test("who knows which pods changed is told the same as who looks at all", () => {
  const times = new TriggerTimes();
  times.next("web", service, [pod("a", at(2)), pod("b", at(1))]);
  expect(times.nextOf("web", service, [])).toBeUndefined();
  const changed = [
    ["a", pod("a", at(5))],
    ["c", pod("c", at(4))],
    ["b", undefined],
  ] as const;
  expect(times.nextOf("web", service, changed)).toBe(at(4));
  expect(times.next("web", service, [pod("a", at(5)), pod("c", at(4))])).toBeUndefined();
  expect(times.nextOf("web", service, [["b", pod("b", at(1))]])).toBe(at(1));
});
