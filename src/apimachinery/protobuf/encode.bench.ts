import { bench, describe } from "vitest";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { schemaFor } from "../schema/registry.ts";
import { decodeMessage } from "./decode.ts";
import { encodeMessage } from "./encode.ts";

const found = schemaFor("", "v1", "Pod");
if (found === undefined) throw new Error("there are no Pods");
const schema = found;
const requests = { cpu: "10m", memory: "16Mi" };
const container = { name: "main", image: "app:1", env: [{ name: "LOG_LEVEL", value: "info" }], resources: { requests } };
const given = {
  metadata: { name: "pod", namespace: "default", labels: { app: "bench" }, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { containers: [container, { ...container, name: "side" }], nodeName: "node-1" },
  status: { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
};
const pod = normalizeObject(schema, decodeObject(schema, given).object as never) as object;
const message = encodeMessage(schema, pod);
const json = JSON.stringify(pod);

describe("a Pod", () => {
  bench("to protobuf", () => void encodeMessage(schema, pod));
  bench("to JSON, for comparison", () => void Buffer.from(JSON.stringify(pod)));
  bench("from protobuf", () => void decodeMessage(schema, message));
  bench("from JSON and decoded, for comparison", () => void decodeObject(schema, JSON.parse(json)));
});
