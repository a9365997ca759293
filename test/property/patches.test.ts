import fc, { type Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { applyJsonPatch } from "#apimachinery/patch/json-patch.ts";
import { applyMergePatch } from "#apimachinery/patch/merge-patch.ts";
import { runs } from "./runs.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const KEY = fc.constantFrom("a", "b", "c", "d/e", "~f", "0", "constructor", "__proto__", "");
const { json } = fc.letrec<{ json: Json; map: { [key: string]: Json } }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom<Json[]>(null, true, 0, 1, -1.5, "", "x"),
    fc.array(tie("json"), { maxLength: 4 }),
    tie("map"),
  ),
  map: fc
    .array(fc.tuple(KEY, tie("json")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as { [key: string]: Json }),
}));

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function put(map: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Compared as text: own members called `__proto__` count, the order of members does not. */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${text(item)}`);
  return `{${entries.sort().join()}}`;
}

describe("JSON patch", () => {
  type Operation = { op: string; path: string; from?: string; value?: Json };

  /** Every place of a document, as a pointer; and places next to them where something can be added. */
  function pointers(document: Json, at = ""): string[] {
    if (Array.isArray(document)) return [at, `${at}/-`, ...document.flatMap((item, i) => pointers(item, `${at}/${i}`))];
    if (!isMap(document)) return [at];
    const below = Object.entries(document).flatMap(([key, item]) =>
      pointers(item, `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    );
    return [at, `${at}/new`, ...below];
  }

  /** RFC 6902 as plainly as it can be written: the whole is copied for each step. Undefined where it fails. */
  function model(document: Json, { op, path, from, value = null }: Operation): Json | undefined {
    const copy = structuredCloneOwn(document);
    switch (op) {
      case "add":
        return insert(copy, parse(path), value);
      case "remove":
        return take(copy, parse(path))?.rest;
      case "replace": {
        const keys = parse(path);
        if (keys.length === 0) return value;
        const taken = take(copy, keys);
        return taken && insert(taken.rest, keys, value);
      }
      case "move": {
        const taken = take(copy, parse(from ?? ""));
        return taken && insert(taken.rest, parse(path), taken.value);
      }
      case "copy": {
        const found = find(copy, parse(from ?? ""));
        return found === undefined ? undefined : insert(copy, parse(path), structuredCloneOwn(found));
      }
      default: {
        const found = find(copy, parse(path));
        return found !== undefined && text(found) === text(value) ? copy : undefined;
      }
    }
  }

  function structuredCloneOwn(value: Json): Json {
    return JSON.parse(JSON.stringify(value)) as Json;
  }

  function parse(pointer: string): string[] {
    return pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  }

  function find(document: Json, keys: readonly string[]): Json | undefined {
    let at: Json | undefined = document;
    for (const key of keys) {
      if (Array.isArray(at)) at = /^\d+$/.test(key) ? at[Number(key)] : undefined;
      else at = at !== undefined && isMap(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    }
    return at;
  }

  function insert(document: Json, keys: readonly string[], value: Json): Json | undefined {
    const parent = find(document, keys.slice(0, -1));
    const key = keys.at(-1);
    if (key === undefined || parent === undefined) return undefined;
    if (Array.isArray(parent)) {
      const index = key === "-" ? parent.length : /^\d+$/.test(key) ? Number(key) : Number.NaN;
      if (!(index <= parent.length)) return undefined;
      parent.splice(index, 0, value);
    } else if (isMap(parent)) put(parent, key, value);
    else return undefined;
    return document;
  }

  function take(document: Json, keys: readonly string[]): { rest: Json; value: Json } | undefined {
    const value = find(document, keys);
    const parent = find(document, keys.slice(0, -1));
    const key = keys.at(-1);
    if (value === undefined || parent === undefined || key === undefined) return undefined;
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else if (isMap(parent)) delete parent[key];
    return { rest: document, value };
  }

  function patchOf(document: Json): Arbitrary<Operation[]> {
    const path = fc.constantFrom(...pointers(document));
    const operation = fc
      .record({ op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"), path, from: path, value: json })
      // The whole document is a case for itself, and so are moves of a thing into itself; upstream's library forgives more than the RFC.
      .filter(
        ({ op, path, from }) =>
          path !== "" && (op === "move" || op === "copy" ? from !== "" && !path.startsWith(`${from}/`) : true),
      )
      .filter(
        ({ op, path, from }) =>
          !(op === "remove" || op === "replace" || op === "test" ? path : op === "add" ? "" : from).endsWith("/-"),
      );
    return fc.array(operation, { minLength: 1, maxLength: 5 });
  }

  test("does what the RFC says, where that does not fail", () => {
    const cases = fc
      .oneof(fc.array(json, { minLength: 1 }), fc.dictionary(KEY, json, { minKeys: 1 }))
      .chain((document) => fc.tuple(fc.constant(document as Json), patchOf(document as Json)));
    fc.assert(
      fc.property(cases, ([document, patch]) => {
        let want: Json | undefined = document;
        for (const operation of patch) {
          if (want === undefined) break;
          want = model(want, operation);
        }
        const before = text(document);
        // What fails here may be forgiven there; it must not break anything.
        const got = outcome(() => applyJsonPatch(document, patch));
        expect(text(document)).toBe(before);
        if (want !== undefined) expect(text(got)).toBe(text(want));
      }),
      runs(1000),
    );
  });
});

describe("merge patch", () => {
  /** RFC 7386's own pseudocode, but that nulls in lists are dropped as Go's library does. */
  function model(document: Json, patch: Json): Json {
    if (!isMap(patch)) return patch;
    const out: { [key: string]: Json } = {};
    if (isMap(document)) for (const [key, value] of Object.entries(document)) put(out, key, value);
    for (const [key, value] of Object.entries(patch)) {
      const has = Object.hasOwn(out, key);
      if (value === null) delete out[key];
      else put(out, key, model(has ? (out[key] ?? null) : null, value));
    }
    return out;
  }

  /** Go's library treats lists of a patch as new where there was nothing, and as they are where there was something. */
  function hasNullsInLists(value: Json): boolean {
    if (Array.isArray(value))
      return value.some((item) => item === null || hasNullsInLists(item) || (isMap(item) && deepNulls(item)));
    return isMap(value) && Object.values(value).some(hasNullsInLists);
  }

  function deepNulls(value: Json): boolean {
    if (value === null) return true;
    return (Array.isArray(value) ? value : isMap(value) ? Object.values(value) : []).some(deepNulls);
  }

  const map = fc.dictionary(KEY, json) as Arbitrary<{ [key: string]: Json }>;

  test("does what the RFC says", () => {
    fc.assert(
      fc.property(
        map,
        map.filter((patch) => !hasNullsInLists(patch)),
        (document, patch) => {
          const before = text([document, patch]);
          expect(text(applyMergePatch(document, patch))).toBe(text(model(document, patch)));
          expect(text([document, patch])).toBe(before);
        },
      ),
      runs(1000),
    );
  });

  test("the patch that leads from one to the other does", () => {
    fc.assert(
      fc.property(map, map, (from, to) => {
        fc.pre(!deepNulls(to) && !deepNulls(from));
        expect(text(applyMergePatch(from, difference(from, to)))).toBe(text(to));
      }),
      runs(700),
    );
  });

  function difference(from: Json, to: Json): Json {
    if (!isMap(from) || !isMap(to)) return to;
    const out: { [key: string]: Json } = {};
    for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) put(out, key, null);
    for (const [key, value] of Object.entries(to)) {
      const known = Object.hasOwn(from, key) ? (from[key] ?? null) : null;
      if (!Object.hasOwn(from, key)) put(out, key, value);
      else if (text(known) !== text(value)) put(out, key, isMap(known) && isMap(value) ? difference(known, value) : value);
    }
    return out;
  }
});

function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}
