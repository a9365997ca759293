import { bench, describe } from "vitest";
import type { ApiObject } from "../meta/api-object.ts";
import { decodeObject } from "../schema/decode.ts";
import { normalizeObject } from "../schema/normalize.ts";
import { schemaFor } from "../schema/registry.ts";
import { applyConfiguration } from "./apply.ts";
import type { JsonMap } from "./compare.ts";

const found = schemaFor("apps", "v1", "Deployment");
if (found === undefined) throw new Error("there are no Deployments");
const schema = found;

function deployment(image: string, replicas?: number): JsonMap {
  const labels = { app: "web" };
  const container = { name: "main", image, ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const spec = { ...(replicas === undefined ? {} : { replicas }), selector: { matchLabels: labels }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "default" }, spec } as JsonMap;
}

function apply(live: ApiObject | undefined, config: JsonMap, manager: string): ApiObject {
  const { object, managedFields } = applyConfiguration({
    apiVersion: "apps/v1",
    kind: "Deployment",
    schema,
    resetFields: ["status"],
    live,
    config,
    manager,
    subresource: "",
    force: true,
    now: "2026-01-01T00:00:00Z",
    versions: () => undefined,
    convert: (value) => value,
  });
  const decoded = decodeObject(schema, structuredClone(object)).object as unknown as ApiObject;
  if (managedFields !== undefined) decoded.metadata.managedFields = managedFields;
  return normalizeObject(schema, { ...decoded, apiVersion: "apps/v1", kind: "Deployment" });
}

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
