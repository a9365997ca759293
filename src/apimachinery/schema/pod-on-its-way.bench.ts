import { bench, describe } from "vitest";
import { trackUpdate } from "../managedfields/update.ts";
import type { ApiObject } from "../meta/api-object.ts";
import { decodeJson } from "./decode.ts";
import { normalizeOwned } from "./normalize.ts";
import { schemaFor } from "./registry.ts";

const found = schemaFor("", "v1", "Pod");
if (found === undefined) throw new Error("there are no Pods");
const schema = found;

const resources = { requests: { cpu: "10m", memory: "16Mi" } };
const container = { name: "main", image: "app:1", env: [{ name: "A", value: "1" }], resources };
const text = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "default", labels: { app: "a" } },
  spec: { containers: [container], schedulerName: "nobody" },
});
const decoded = (): ApiObject => decodeJson(schema, text, { strict: true }).object as unknown as ApiObject;
const normal = normalizeOwned(schema, decoded());

/** What any object goes through, without what is of Pods alone. */
describe("a new Pod", () => {
  bench("is decoded", () => void decoded());
  bench("is decoded and brought into its normal form", () => void normalizeOwned(schema, decoded()));
  bench("gets its managed fields", () => {
    const object = { ...normal, metadata: { ...normal.metadata } };
    trackUpdate({ schema, object, manager: "m", apiVersion: "v1", subresource: "", now: "2026-01-01T00:00:00Z" });
  });
});
