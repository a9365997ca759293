import { bench, describe } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { decodeEncoded, encodeObject, listBytes, versionedBytes } from "./serializer.ts";

const container = { name: "main", image: "registry.example.com/team/app:1.2.3", env: [{ name: "LOG_LEVEL", value: "info" }] };
const pod = (i: number): ApiObject & { spec: object } => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `pod-${i}`, namespace: "default", labels: { app: "bench" }, uid: `uid-${i}`, generation: 1 },
  spec: { containers: [container, { ...container, name: "side" }], restartPolicy: "Always", nodeName: `node-${i % 100}` },
});
const objects = Array.from({ length: 1_000 }, (_, i) => pod(i));
const items = objects.map((object, i) => ({ encoded: encodeObject(object), revision: 1_000_000 + i }));
const one = items[0] as (typeof items)[0];
const HEAD = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[';

describe("a list of 1,000 Pods", () => {
  bench("from stored bytes", () => void listBytes(HEAD, items, "]}"));
  bench("written out, for comparison", () => void Buffer.from(JSON.stringify({ kind: "PodList", items: objects })));
});

describe("a Pod", () => {
  bench("encoded for the store", () => void encodeObject(objects[0] as ApiObject));
  bench("decoded", () => void decodeEncoded(one.encoded, one.revision));
  bench("as a watch event", () => void versionedBytes(one.encoded, one.revision, '{"type":"MODIFIED","object":', "}\n"));
});
