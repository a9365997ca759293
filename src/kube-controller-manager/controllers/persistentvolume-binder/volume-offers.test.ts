import { beforeEach, expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { VolumeOffers } from "./volume-offers.ts";

const accessModes = ["ReadWriteOnce"];
const volume = (name: string, storage = "1Gi", labels: Record<string, string> = {}): PersistentVolume => ({
  metadata: { name, labels },
  spec: { capacity: { storage }, accessModes },
  status: { phase: "Available" },
});
const claim = (name: string, storage = "1Gi", more: object = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: "ns" },
  spec: { accessModes, resources: { requests: { storage } }, ...more },
});

let seekers: PersistentVolumeClaim[];
let volumes: Map<string, PersistentVolume>;
let waiting: Set<string>;
let offers: VolumeOffers;
beforeEach(() => {
  seekers = [];
  volumes = new Map();
  waiting = new Set();
  offers = new VolumeOffers({
    seekers: () => seekers,
    volume: (name) => volumes.get(name),
    waits: ({ metadata }) => waiting.has(metadata.name ?? ""),
  });
});
const offer = (one: PersistentVolume): string | undefined => {
  volumes.set(one.metadata.name ?? "", one);
  return offers.offer(one);
};

test("each volume is offered to a claim of its own, and to the same one when it changes", () => {
  seekers = [claim("a"), claim("b")];
  expect(["v", "w", "x", "v"].map((name) => offer(volume(name)))).toEqual(["ns/a", "ns/b", undefined, "ns/a"]);
});

test("it is for claims that it can serve and that look for one now", () => {
  waiting.add("waits");
  seekers = [
    claim("large", "2Gi"),
    claim("waits"),
    claim("names", "1Gi", { volumeName: "other" }),
    claim("gold", "1Gi", { selector: { matchLabels: { tier: "gold" } } }),
    claim("block", "1Gi", { volumeMode: "Block" }),
  ];
  expect([offer(volume("v")), offer(volume("w", "1Gi", { tier: "gold" })), offer(volume("x", "2Gi"))]).toEqual([
    undefined,
    "ns/gold",
    "ns/large",
  ]);
});

test("a volume that its claim did not want is the next one's, unless it is gone", () => {
  seekers = [claim("a"), claim("b")];
  offer(volume("v"));
  seekers = [claim("b")];
  expect(offers.settle("ns/a")).toBe("ns/b");
  seekers = [claim("c")];
  volumes.set("v", { ...volume("v"), status: { phase: "Bound" } });
  expect(offers.settle("ns/b")).toBeUndefined();
});

test("a claim whose volume another took is offered the next", () => {
  seekers = [claim("a")];
  offer(volume("v"));
  expect(offer(volume("w"))).toBeUndefined();
  offers.withdraw("v");
  expect(offer(volume("w"))).toBe("ns/a");
  expect(offers.settle("ns/other")).toBeUndefined();
});
