import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";

const upstream = fileURLToPath(new URL("../../../shared/upstream/openapi-v2.json", import.meta.url));
const manifests = fileURLToPath(new URL("./defaulted.yaml", import.meta.url));
/** Shorter sentences are the same by chance. */
const WORDS_MIN = 7;

interface Schema {
  readonly description?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly "x-kubernetes-group-version-kind"?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

interface Document {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly description?: string }>>>>;
  readonly parameters: Readonly<Record<string, { readonly description?: string }>>;
}

/** Every text of a document with the place where it stands. */
function texts({ definitions, paths, parameters }: Document): Map<string, string> {
  const found = new Map<string, string>();
  const add = (at: string, text: string | undefined): void => {
    if (text !== undefined) found.set(at, text);
  };
  for (const [name, { description, properties = {} }] of Object.entries(definitions)) {
    add(name, description);
    for (const [field, each] of Object.entries(properties)) add(`${name}.${field}`, each.description);
  }
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(item)) add(`${method} ${path}`, operation.description);
  }
  for (const [name, { description }] of Object.entries(parameters)) add(name, description);
  return found;
}

/** Sentences that are long enough to be somebody's, in a form in which they can be compared. */
function sentences(text: string): string[] {
  const parts = text.split(/(?<=[.!?:])\s+|\n+/).map((part) => part.trim().replace(/[.:]$/, "").toLowerCase());
  return parts.filter((part) => part.split(/\s+/).length >= WORDS_MIN);
}

describe("texts of the API", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  let document: Document;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0, runtimeConfig: ["api/all=true", "extensions/v1beta1=true"] });
    ask = asker(cluster);
    document = (await ask("GET", "/openapi/v2", undefined, { accept: "application/json" })).body as Document;
  });
  afterAll(() => cluster?.stop());

  test("every type and every field has one, of its own or of its type", () => {
    const { definitions } = document;
    const typeOf = ({ $ref = "" }: Schema): Schema | undefined => definitions[$ref.replace("#/definitions/", "")];
    const missing = Object.entries(definitions).flatMap(([name, type]) => {
      const fields = Object.entries(type.properties ?? {}).filter(([, each]) => !each.description && !typeOf(each)?.description);
      return [...(type.description ? [] : [name]), ...fields.map(([field]) => `${name}.${field}`)];
    });
    expect(missing).toEqual([]);
  });

  test("every operation and parameter has one, but for logs, where upstream has none", () => {
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { description }]) =>
        method === "parameters" || description || path.startsWith("/logs/") ? [] : [`${method} ${path}`],
      ),
    );
    const parameters = Object.entries(document.parameters).filter(
      ([name, { description }]) => !description && !name.startsWith("body-"),
    );
    expect([operations, parameters]).toEqual([[], []]);
  });

  test.runIf(existsSync(upstream))("no sentence of seven words or more is upstream's (needs ../shared/upstream)", () => {
    const theirs = new Set([...texts(JSON.parse(readFileSync(upstream, "utf8")) as Document).values()].flatMap(sentences));
    const taken = [...texts(document)].filter(([, text]) => sentences(text).some((each) => theirs.has(each)));
    expect(taken).toEqual([]);
  });

  /** Literal values that texts call the default, against what the server fills in. */
  test("defaults are as the server sets them", async () => {
    const { definitions } = document;
    const byKind = new Map<string, string>();
    for (const [name, type] of Object.entries(definitions)) {
      for (const { group, version, kind } of type["x-kubernetes-group-version-kind"] ?? []) {
        byKind.set(`${group === "" ? "" : `${group}/`}${version} ${kind}`, name);
      }
    }
    const wrong: string[] = [];
    let checked = 0;
    const compare = (schema: Schema | undefined, sent: unknown, got: unknown, at: string): void => {
      if (schema === undefined || typeof got !== "object" || got === null) return;
      const type = schema.$ref === undefined ? schema : definitions[schema.$ref.replace("#/definitions/", "")];
      if (Array.isArray(got)) {
        for (const [i, each] of got.entries()) compare(type?.items, (sent as unknown[] | undefined)?.[i], each, `${at}[${i}]`);
        return;
      }
      for (const [name, value] of Object.entries(got)) {
        const field = type?.properties?.[name] ?? type?.additionalProperties;
        const before = (sent as Record<string, unknown> | undefined)?.[name];
        const told = /Default: `?([\w.%/-]+?)`?\.(?=\s|$)/.exec(field?.description ?? "")?.[1];
        if (before === undefined && told !== undefined && typeof value !== "object" && isLiteral(told)) {
          checked++;
          if (told !== spoken(name, value)) wrong.push(`${at}.${name}: told ${told}, is ${String(value)}`);
        }
        compare(field, before, value, `${at}.${name}`);
      }
    };
    for (const [path, object] of Object.entries(
      load(readFileSync(manifests, "utf8")) as Record<string, { apiVersion: string; kind: string }>,
    )) {
      const { status, body, text } = await ask("POST", `${path}?dryRun=All`, object);
      expect([status, text.slice(0, 300)]).toEqual([201, expect.any(String)]);
      const name = byKind.get(`${object.apiVersion} ${object.kind}`) ?? "";
      expect([path, name]).toEqual([path, expect.stringMatching(/./)]);
      compare(definitions[name], object, body, object.kind);
    }
    expect(wrong).toEqual([]);
    expect(checked).toBeGreaterThan(80);
  });
});

function isLiteral(told: string): boolean {
  return /^(-?[\d.]+%?|true|false|[A-Z]\w*|\/.*|ext4|xfs|rbd|admin|default|default-scheduler|v1)$/.test(told);
}

/** As texts write it: modes in octal. */
function spoken(name: string, value: unknown): string {
  return name === "defaultMode" ? `0${Number(value).toString(8)}` : String(value);
}
