import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { Image, ImageService } from "#cri/image-service.ts";
import { ImageGc, type ImageGcOptions } from "./image-gc.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const image = (id: string, sizeBytes: number, pinned = false): Image => ({
  id,
  repoTags: [`${id}:1`],
  repoDigests: [],
  sizeBytes,
  uid: undefined,
  username: "",
  pinned,
});

function lab(availableBytes: number, policy: Partial<ImageGcOptions["policy"]> = {}) {
  const clock = new ManualClock();
  const events: string[] = [];
  const collected: string[] = [];
  const there = new Map(
    [image("used", 50), image("old", 10), image("new", 20), image("pinned", 70, true)].map((one) => [one.id, one]),
  );
  const images = {
    listImages: async () => [...there.values()],
    removeImage: async ({ image: id }: { image: string }) => void there.delete(id),
  } as unknown as ImageService;
  const containers = [{ image: "used:1", imageRef: "x" }];
  const gc = new ImageGc({
    images,
    runtime: { listContainers: async () => containers } as unknown as ImageGcOptions["runtime"],
    alsoUsed: async () => [],
    disk: async () => ({ capacityBytes: 100, availableBytes }),
    policy: { highPercent: 85, lowPercent: 80, minAgeMs: 120_000, maxAgeMs: 0, ...policy },
    recorder: { event: (_, type, reason) => void events.push(`${type} ${reason}`), flush: async () => {} },
    node: { kind: "Node", apiVersion: "v1", name: "n" },
    metrics: { imageCollected: (reason) => void collected.push(reason) },
    clock,
    logger: silent,
  });
  return { gc, clock, events, collected, there };
}

test("a disk that has room keeps all images", async () => {
  const { gc, there } = lab(50);
  await gc.collect();
  expect(there.size).toBe(4);
});

test("a full disk loses images until it is at the lower mark: unused ones, those not used for the longest first", async () => {
  const { gc, there, events, collected } = lab(12);
  await gc.detect();
  await gc.collect();
  expect([...there.keys()]).toEqual(["used", "new", "pinned"]);
  expect(collected).toEqual(["space"]);
  expect(events).toEqual([]);
});

test("images in use and pinned ones are kept though that is not enough, which the node's event tells", async () => {
  const { gc, there, events } = lab(0, { lowPercent: 10 });
  await gc.run();
  expect([...there.keys()]).toEqual(["used", "pinned"]);
  expect(events).toEqual(["Warning FreeDiskSpaceFailed"]);
  await gc.run();
  expect(events.slice(1)).toEqual(["Warning FreeDiskSpaceFailed", "Warning ImageGCFailed"]);
});

test("what has just been pulled is kept", async () => {
  const { gc, clock, there } = lab(0);
  await gc.detect();
  there.set("fresh", image("fresh", 5));
  clock.advance(60_000);
  await gc.detect();
  await gc.removeUnused();
  expect([...there.keys()]).toEqual(["used", "pinned", "fresh"]);
});

test("images that nobody used for long go although there is room", async () => {
  const { gc, clock, there, collected } = lab(90, { maxAgeMs: 1000 });
  await gc.collect();
  expect(there.size).toBe(4);
  clock.advance(1001);
  await gc.collect();
  expect([...there.keys()]).toEqual(["used", "pinned"]);
  expect(collected).toEqual(["age", "age"]);
});
