import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";
import { ApiParts } from "./api-parts.ts";
import { heldBytes, say } from "./cost.ts";

const OBJECTS = 3_000;
const COLLECTION = "/api/v1/namespaces/ns/configmaps";

// What is held depends on no other program. Measured: 1.9 times the JSON: its bytes, which store and cache share, and the object as its
// writer gave it. Two further copies of each are two more.
test("an object takes little more than its JSON and itself", async () => {
  await using api = await ApiParts.start();
  await api.fill(100, { prefix: "warm" });
  const before = await heldBytes();
  await api.fill(OBJECTS, { bytes: 4_000 });
  const listed = await api.listedBytes();
  const held = (await heldBytes()) - before;
  say(held / listed, held / OBJECTS, listed / OBJECTS);
  expect(held / listed).toBeLessThan(3);
});

// Measured: 0.07 times the JSON. An object that is decoded is one more.
test("what is loaded, listed and got stays bytes", async () => {
  const kv = new MemoryStore({ clock: realClock });
  await using api = await ApiParts.start(kv);
  await api.fill(OBJECTS, { bytes: 4_000 });
  const listed = await api.listedBytes();
  const before = await heldBytes();
  await using other = await ApiParts.start(kv);
  await other.get(COLLECTION);
  for (let i = 0; i < OBJECTS; i++) await other.get(`${COLLECTION}/c-${i}`);
  const held = (await heldBytes()) - before;
  say(held / listed, held / OBJECTS);
  expect(held / listed).toBeLessThan(0.3);
});
