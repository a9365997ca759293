import { expect, test } from "vitest";
import { toVersion3 } from "./to-version-3.ts";

test("paths, bodies, answers, shared parameters and definitions go where version 3 has them", () => {
  const schema = { $ref: "#/definitions/Thing" };
  const converted = toVersion3({
    swagger: "2.0",
    info: { title: "Tiny", version: "v1" },
    paths: {
      "/things/{name}": {
        put: {
          operationId: "replaceThing",
          consumes: ["application/json"],
          produces: ["application/json", "application/yaml"],
          schemes: ["https"],
          parameters: [{ name: "body", in: "body", required: true, schema }, { $ref: "#/parameters/dryRun" }],
          responses: { 200: { description: "OK", schema }, 401: { description: "Unauthorized" } },
        },
        parameters: [{ name: "name", in: "path", required: true, type: "string", uniqueItems: true }],
      },
    },
    definitions: { Thing: { properties: { self: schema } } },
    parameters: { dryRun: { name: "dryRun", in: "query", description: "Try.", type: "string" } },
  });
  const moved = { $ref: "#/components/schemas/Thing" };
  expect(converted).toEqual({
    openapi: "3.0.0",
    info: { title: "Tiny", version: "v1" },
    paths: {
      "/things/{name}": {
        put: {
          operationId: "replaceThing",
          parameters: [{ name: "dryRun", in: "query", description: "Try.", schema: { type: "string" } }],
          requestBody: { content: { "application/json": { schema: moved } }, required: true },
          responses: {
            200: { description: "OK", content: { "application/json": { schema: moved }, "application/yaml": { schema: moved } } },
            401: { description: "Unauthorized" },
          },
        },
        parameters: [{ name: "name", in: "path", required: true, schema: { type: "string", uniqueItems: true } }],
      },
    },
    components: { schemas: { Thing: { properties: { self: moved } } } },
  });
});
