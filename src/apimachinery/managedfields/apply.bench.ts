import { bench, describe } from "vitest";
import type { ApiObject } from "../meta/api-object.ts";
import { applyAndReadBack } from "./apply-and-read-back.ts";
import type { JsonMap } from "./field-values.ts";

function deployment(image: string, replicas?: number): JsonMap {
  const labels = { app: "web" };
  const container = { name: "main", image, ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { ...(replicas === undefined ? {} : { replicas }), selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "default" }, spec } as JsonMap;
}

const apply = (live: ApiObject | undefined, config: JsonMap, manager: string): ApiObject =>
  applyAndReadBack(live, config, manager, { force: true });

const live = apply(undefined, deployment("app:1", 3), "first");
const shared = apply(live, deployment("app:1"), "second");
const same = deployment("app:1", 3);
const changed = deployment("app:2", 3);

// With what the store does then: the outcome is read back.
describe("server-side apply of a Deployment", () => {
  bench("made", () => void apply(undefined, same, "first"));
  bench("unchanged", () => void apply(live, same, "first"));
  bench("changed", () => void apply(live, changed, "first"));
  bench("changed, with two managers", () => void apply(shared, changed, "first"));
});
