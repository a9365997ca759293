import { expect, test, vi } from "vitest";
import { type Clock, realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import type { ResourceId } from "#client/client.ts";
import { FakeClient } from "#client/fake-client.ts";
import { type ElectedControllerManager, startElectedControllerManager } from "./elected-controller-manager.ts";
import type { ControllerDefinition } from "./framework/controller.ts";

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Waits pass a hundred times as fast. */
const clock: Clock = { ...realClock, sleep: (delayMs, signal) => realClock.sleep(delayMs / 100, signal) };

test("the controllers run in one candidate, and in the next when that stops", async () => {
  const random = seededRandom(1);
  const client = new FakeClient({ resources: [{ id: LEASES, kind: "Lease", namespaced: true }], clock, random });
  const log: string[] = [];
  const start = (identity: string): ElectedControllerManager => {
    const controller: ControllerDefinition = {
      name: "probe",
      create: ({ signal }) => {
        log.push(`${identity} runs`);
        signal.addEventListener("abort", () => log.push(`${identity} ends`), { once: true });
        return undefined;
      },
    };
    return startElectedControllerManager({
      client,
      clock,
      random,
      identity,
      signal: new AbortController().signal,
      controllers: [controller],
    });
  };
  const a = start("a");
  await vi.waitFor(() => expect(log).toEqual(["a runs"]));
  const b = start("b");
  await realClock.sleep(60);
  expect(log).toEqual(["a runs"]);
  expect([a.healthy(), b.healthy()]).toEqual([true, true]);
  await a.stop();
  await vi.waitFor(() => expect(log).toEqual(["a runs", "a ends", "b runs"]));
  await b.stop();
  expect(log.at(-1)).toBe("b ends");
});
