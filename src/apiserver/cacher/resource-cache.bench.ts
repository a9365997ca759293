import { bench, describe } from "vitest";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { encodeObject } from "../serializer.ts";
import { entryFromValue } from "./cache-entry.ts";
import { ResourceCache } from "./resource-cache.ts";
import type { ObjectFilter } from "./watch-group.ts";

const PREFIX = "/registry/configmaps/";
const KEY = `${PREFIX}default/a`;
const CONSUMER = { onEvents: (): void => undefined, onEnd: (): void => undefined };
const object: ApiObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "default" } };
const { bytes } = encodeObject(object);
const all: ObjectFilter = { namespace: "", name: "", id: "" };
const inNamespace = (i: number): ObjectFilter => ({ namespace: `n${i}`, name: "", id: `n${i}` });
const byName = (i: number): ObjectFilter => ({ namespace: "", name: `a${i}`, id: `a${i}` });
const WATCHES: Readonly<Record<string, (i: number) => ObjectFilter>> = {
  "of everything": () => all,
  "of other namespaces": inNamespace,
  "of other names": byName,
};

describe("a change in the watch cache", () => {
  const add = (name: string, count: number, filterOf: (i: number) => ObjectFilter): void => {
    const cache = new ResourceCache(PREFIX);
    for (let i = 0; i < count; i++) cache.watch(filterOf(i), CONSUMER);
    let revision = 1;
    bench(name, () => {
      revision++;
      cache.apply([{ key: KEY, revision, entry: entryFromValue(PREFIX.length, KEY, revision, bytes) }]);
    });
  };
  add("nobody watches", 0, () => all);
  for (const [name, filterOf] of Object.entries(WATCHES)) add(`1,000 watches ${name}`, 1_000, filterOf);
});
