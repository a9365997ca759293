import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";

const golden = fileURLToPath(new URL("../golden/openapi.txt", import.meta.url));

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly [extension: `x-${string}`]: unknown;
}

interface Document {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId?: string }>>>>;
}

function fetchDocument(cluster: Cluster): Promise<Document> {
  return new Promise((resolve, reject) => {
    const { ca, cert, key } = cluster.credentials;
    const req = request(`${cluster.url}/openapi/v2`, { ca, cert, key, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString("utf8"))));
    });
    req.on("error", reject);
    req.end();
  });
}

/** One line for every operation and every field, so that a change reads as a diff. */
function outline(document: Document): string {
  const lines: string[] = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation.operationId !== undefined) lines.push(`${method.toUpperCase()} ${path} ${operation.operationId}`);
    }
  }
  for (const [name, schema] of Object.entries(document.definitions)) {
    lines.push(`${name}${extensions(schema)}`);
    for (const [field, property] of Object.entries(schema.properties ?? {})) {
      const mark = schema.required?.includes(field) ? "" : "?";
      lines.push(`  ${field}${mark} ${typeText(property)}${extensions(property)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice("#/definitions/".length);
  if (schema.items !== undefined) return `[]${typeText(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map ${typeText(schema.additionalProperties)}`;
  return schema.format ?? schema.type ?? "any";
}

function extensions(schema: Schema): string {
  const found = Object.entries(schema).filter(([key]) => key.startsWith("x-") && key !== "x-kubernetes-group-version-kind");
  return found.map(([key, value]) => ` ${key.replace("x-kubernetes-", "")}=${JSON.stringify(value)}`).join("");
}

/** `UPDATE_GOLDEN=1` writes the golden file anew. */
test("what OpenAPI publishes is what was reviewed", async () => {
  await using cluster = await startCluster({ nodes: 0 });
  const got = outline(await fetchDocument(cluster));
  if (process.env.UPDATE_GOLDEN === "1" || !existsSync(golden)) writeFileSync(golden, got);
  expect(got).toBe(readFileSync(golden, "utf8"));
});
