import { expect, test } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { realClock } from "#base/clock.ts";
import { seededRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import type { ResourceId } from "./client.ts";
import { createEventRecorder, type EventRecorder } from "./event-recorder.ts";
import { FakeClient } from "./fake-client.ts";

const EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const SERIES: ResourceId = { group: "events.k8s.io", version: "v1", resource: "events" };
const pod = (name: string) => ({ kind: "Pod", apiVersion: "v1", namespace: "ns", name, uid: `uid-${name}` });

function setUp(api: "core" | "events" = "core"): { client: FakeClient; recorder: EventRecorder; warnings: string[] } {
  const random = seededRandom(1);
  const resources = [EVENTS, SERIES].map((id) => ({ id, kind: "Event", namespaced: true }));
  const client = new FakeClient({ resources, clock: realClock, random });
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_fields: object, message: string) => warnings.push(message) };
  const options = { client, clock: realClock, random, component: "test", api, logger };
  return { client, recorder: createEventRecorder(options), warnings };
}

async function stored(client: FakeClient): Promise<readonly (ApiObject & { message: string; count: number })[]> {
  return (await client.list<ApiObject & { message: string; count: number }>(EVENTS, "ns")).items;
}

test("a burst about 3,000 pods is written whole", async () => {
  const { client, recorder, warnings } = setUp();
  for (let i = 0; i < 3000; i++) recorder.event(pod(`p${i}`), "Normal", "Scheduled", `${i}`);
  await recorder.flush();
  expect(new Set((await stored(client)).map(({ message }) => Number(message)))).toEqual(new Set(Array(3000).keys()));
  expect(warnings).toEqual([]);
});

test("repetitions of an event that is not written yet are one write", async () => {
  const { client, recorder } = setUp();
  for (let i = 0; i < 5; i++) recorder.event(pod("p"), "Warning", "BackOff", "again");
  await recorder.flush();
  recorder.event(pod("p"), "Warning", "BackOff", "again");
  await recorder.flush();
  expect((await stored(client)).map(({ message, count }) => [message, count])).toEqual([["again", 6]]);
  expect(client.writes.map(({ verb }) => verb)).toEqual(["create", "patch"]);
});

test("an event that was removed meanwhile comes back with its count", async () => {
  const { client, recorder } = setUp();
  recorder.event(pod("p"), "Normal", "R", "m");
  await recorder.flush();
  await client.delete(EVENTS, "ns", (await stored(client))[0]?.metadata.name ?? "");
  recorder.event(pod("p"), "Normal", "R", "m");
  await recorder.flush();
  expect((await stored(client)).map(({ count }) => count)).toEqual([2]);
});

test("an event of events.k8s.io that is repeated becomes a series, told once", async () => {
  const { client, recorder } = setUp("events");
  for (let i = 0; i < 5; i++) recorder.event(pod("p"), "Warning", "FailedScheduling", "no nodes", { action: "Scheduling" });
  await recorder.flush();
  const items = (await client.list<ApiObject & { series?: { count: number } }>(SERIES, "ns")).items;
  expect(items.map(({ series }) => series?.count)).toEqual([2]);
  expect(client.writes.map(({ verb }) => verb)).toEqual(["create", "patch"]);
});
