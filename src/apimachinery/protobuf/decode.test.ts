import { expect, test } from "vitest";
import { schemaFor } from "../schema/registry.ts";
import { decodeMessage } from "./decode.ts";
import { encodeMessage } from "./encode.ts";

test("a message that comes in pieces is one", () => {
  const schema = schemaFor("", "v1", "ConfigMap") ?? expect.unreachable();
  const pieces = [
    { metadata: { name: "a", labels: { x: "y" } } },
    { metadata: { name: "b", labels: { z: "" } }, data: { k: "v" } },
  ].map((piece) => encodeMessage(schema, piece));
  expect(decodeMessage(schema, Buffer.concat(pieces))).toMatchObject({
    metadata: { name: "b", labels: { x: "y", z: "" } },
    data: { k: "v" },
  });
});
