import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { realClock } from "#base/clock.ts";
import { UnimplementedError } from "#cri/cri-error.ts";
import type { ContainerEvent, RuntimeService } from "#cri/runtime-service.ts";
import { Pleg } from "./pleg.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A runtime with a pod, whose container's state a test sets. */
function start(events: "none" | "some"): {
  pleg: Pleg;
  told: string[];
  lists: () => number;
  set(state: string): void;
  fail(isAway: boolean): void;
  event(event: Partial<ContainerEvent>): void;
} {
  const told: string[] = [];
  let state = "CONTAINER_RUNNING";
  let lists = 0;
  let isAway = false;
  let listener: (event: ContainerEvent) => void = () => {};
  const runtime = {
    listPodSandbox: async () => {
      lists++;
      if (isAway) throw new Error("away");
      return [{ id: "s", metadata: { uid: "u" }, state: "SANDBOX_READY" }];
    },
    listContainers: async () => [{ id: "c", sandboxId: "s", state }],
    getContainerEvents: (to: typeof listener, onEnd: (error: Error) => void) => {
      listener = to;
      if (events === "none") onEnd(new UnimplementedError("no"));
      return () => {};
    },
  } as unknown as RuntimeService;
  const pleg = new Pleg({ runtime, clock: realClock, onPod: (uid) => void told.push(uid) });
  pleg.start();
  return {
    pleg,
    told,
    lists: () => lists,
    set: (next) => {
      state = next;
    },
    fail: (away) => {
      isAway = away;
    },
    event: (event) => listener({ containerId: "c", sandboxId: "s", type: "CONTAINER_STOPPED_EVENT", ...event }),
  };
}

test("without events everything is listed each second, and what differs is told", async () => {
  const { pleg, told, set, lists } = start("none");
  await vi.advanceTimersByTimeAsync(3500);
  expect([told, lists()]).toEqual([["u"], 4]);
  set("CONTAINER_EXITED");
  await vi.advanceTimersByTimeAsync(1000);
  expect(told).toEqual(["u", "u"]);
  pleg.stop();
});

test("events are told at once, and seldom is anything listed", async () => {
  const { pleg, told, event, lists } = start("some");
  await vi.advanceTimersByTimeAsync(5000);
  expect(lists()).toBe(1);
  event({});
  expect(told).toEqual(["u", "u"]);
  event({ containerId: "new", sandboxId: "unknown" });
  await vi.advanceTimersByTimeAsync(10);
  expect(lists()).toBe(2);
  pleg.stop();
});

test("a runtime that is away for long is told of, until it is back", async () => {
  const { pleg, fail } = start("none");
  await vi.advanceTimersByTimeAsync(10);
  fail(true);
  await vi.advanceTimersByTimeAsync(190_000);
  expect(pleg.problem()).toMatch(/^pleg was last seen active \d+s ago; threshold is 3m0s$/);
  fail(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(pleg.problem()).toBeUndefined();
  pleg.stop();
});
