import { expect, test } from "vitest";
import { notFound } from "#apimachinery/api-errors/errors.ts";
import { realClock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { evictVictims } from "./evictor.ts";
import { podInfo } from "./framework/pod-info.ts";
import { testPod } from "./framework/test-objects.ts";
import { PodStatusWriter } from "./pod-status-writer.ts";

const gone = () => Promise.reject(notFound({ group: "", resource: "pods" }, "a"));
const done = async () => undefined;

/** What becomes of two victims when a call about the first goes as told. */
async function evictTwo(first: { patch?: () => Promise<unknown>; delete?: () => Promise<unknown> }) {
  const deleted: string[] = [];
  const told: string[] = [];
  const client = {
    patch: (_id: unknown, _namespace: string, name: string) => (name === "a" ? (first.patch ?? done) : done)(),
    delete: async (_id: unknown, _namespace: string, name: string) => {
      await (name === "a" ? (first.delete ?? done) : done)();
      deleted.push(name);
    },
  } as unknown as Client;
  const recorder = { event: (of: { name: string }) => void told.push(of.name) } as unknown as EventRecorder;
  const statusWriter = new PodStatusWriter({ client, clock: realClock });
  const [a, b, preemptor] = ["a", "b", "p"].map((name) => podInfo(testPod(name)));
  if (a === undefined || b === undefined || preemptor === undefined) throw new Error("three pods");
  await evictVictims({ client, statusWriter, recorder }, [a, b], preemptor, "node", []);
  return { deleted, told };
}

test.each([
  ["both are there", {}, ["a", "b"]],
  ["one is gone when it is told why", { patch: gone }, ["b"]],
  ["one is gone when it is deleted", { delete: gone }, ["b"]],
])("victims make room: %s", async (_, first, names) => {
  const { deleted, told } = await evictTwo(first);
  expect({ deleted: deleted.sort(), told: told.sort() }).toEqual({ deleted: names, told: names });
});

test("another failure is told", async () => {
  await expect(evictTwo({ delete: () => Promise.reject(new Error("no quorum")) })).rejects.toThrow("no quorum");
});
