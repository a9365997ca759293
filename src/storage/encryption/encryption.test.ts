import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import { MemoryStore } from "../memory/memory-store.ts";
import { AesCbc, AesGcm, DerivedKeyGcm } from "./aes.ts";
import { EncryptedStore } from "./encrypted-store.ts";
import { Secretbox } from "./secretbox.ts";
import { identity, PrefixTransformers, type ValueTransformer } from "./value-transformer.ts";

const random = seededRandom(7);
const key = (size: number, fill = 1): Uint8Array => new Uint8Array(size).fill(fill);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test.each<[string, ValueTransformer, boolean]>([
  ["AES-128-GCM", new AesGcm(key(16), random), true],
  ["AES-256-GCM", new AesGcm(key(32), random), true],
  ["AES-256-CBC", new AesCbc(key(32), random), false],
  ["secretbox", new Secretbox(key(32), random), false],
  ["AES-GCM with derived keys", new DerivedKeyGcm(key(32), random), true],
])("%s gives back what it got, never writes the same twice, and knows its key", async (_, cipher, bound) => {
  for (const value of ["", "x", "a longer text ".repeat(1000)]) {
    const stored = await cipher.encrypt(Buffer.from(value), "/registry/secrets/a");
    expect(text((await cipher.decrypt(stored, "/registry/secrets/a")).value)).toBe(value);
    expect(Buffer.compare(stored, await cipher.encrypt(Buffer.from(value), "/registry/secrets/a"))).not.toBe(0);
    if (bound) expect(() => cipher.decrypt(stored, "/registry/secrets/b")).toThrow("authentication");
  }
  expect(() => cipher.decrypt(Buffer.from("short"), "k")).toThrow("shorter than the required size");
});

test("secretbox reads what another implementation wrote", () => {
  // From golang.org/x/crypto/nacl/secretbox: key and nonce of ones and twos, 64 threes.
  const nonce = key(24, 2);
  const sealed = Buffer.from(
    "8442bc313f4626f1359e3b50122b6ce6fe66ddfe7d39d14e637eb4fd5b45beadab55198df6ab5368439792a23c87db70acb6156dc5ef957ac04f6276cf6093b84be77ff0849cc33e34b7254d5a8f65ad",
    "hex",
  );
  const opened = new Secretbox(key(32, 1), random).decrypt(Buffer.concat([nonce, sealed]));
  expect(Buffer.compare(opened.value, key(64, 3))).toBe(0);
});

const one: ValueTransformer = new PrefixTransformers([{ prefix: "one:", transformer: new AesGcm(key(16, 1), random) }], "no key");
const two: ValueTransformer = new PrefixTransformers([{ prefix: "two:", transformer: new AesGcm(key(16, 2), random) }], "no key");
const rotated = (...order: ValueTransformer[]): ValueTransformer =>
  new PrefixTransformers(
    order.map((transformer) => ({ prefix: transformer === identity ? "" : "k8s:enc:aesgcm:v1:", transformer })),
    "no matching prefix found",
  );

test("the first provider writes, all read, and what another wrote is stale", async () => {
  const old = await rotated(one).encrypt(Buffer.from("v"), "k");
  expect(await rotated(two, one).decrypt(old, "k")).toMatchObject({ stale: true });
  expect(await rotated(one, two).decrypt(old, "k")).toMatchObject({ stale: false });
  expect(await rotated(one, identity).decrypt(Buffer.from("plain"), "k")).toMatchObject({ stale: true });
  expect(() => rotated(two).decrypt(old, "k")).toThrow("no key");
  expect(() => rotated(identity).decrypt(old, "k")).toThrow("no matching prefix found");
});

test("a store behind encryption holds no plain value, delivers plain ones in order, and tells what is stale", async () => {
  const inner = new MemoryStore({ clock: new ManualClock() });
  let transformer: ValueTransformer = slow(rotated(one, identity));
  const store = new EncryptedStore({
    store: inner,
    transformerOf: (name) => (name.startsWith("/registry/secrets/") ? transformer : undefined),
  });
  const seen: string[] = [];
  const ended = new AbortController();
  store.watch("/registry/", {
    signal: ended.signal,
    onEvents: (events) =>
      seen.push(...events.map((event) => `${event.type} ${event.key} ${event.type === "put" ? text(event.kv.value) : ""}`)),
    onError: (error) => seen.push(error.message),
  });
  const put = (name: string, value: string, expectedModRevision = 0) =>
    store.txn({ key: name, expectedModRevision, put: { value: Buffer.from(value) } });
  const made = await put("/registry/secrets/a", "hidden");
  await put("/registry/pods/a", "open");
  await put("/registry/secrets/a", "hidden too", made.revision);
  await store.txn({ key: "/registry/secrets/a", expectedModRevision: made.revision + 2 });
  await put("/registry/secrets/b", "kept");
  expect(text((await inner.get("/registry/secrets/b")).kv?.value ?? Buffer.of())).toMatch(/^k8s:enc:aesgcm:v1:one:/);
  expect(text((await store.get("/registry/secrets/b")).kv?.value ?? Buffer.of())).toBe("kept");
  await expect
    .poll(() => seen)
    .toEqual([
      "put /registry/secrets/a hidden",
      "put /registry/pods/a open",
      "put /registry/secrets/a hidden too",
      "delete /registry/secrets/a ",
      "put /registry/secrets/b kept",
    ]);
  expect(await store.isStale("/registry/secrets/b")).toBe(false);
  transformer = rotated(two, one);
  expect(await store.isStale("/registry/secrets/b")).toBe(true);
  transformer = rotated(two);
  const [kept] = (await store.list("/registry/secrets/")).kvs;
  expect(kept?.fault?.message).toBe('unable to transform key "/registry/secrets/b": no key');
  ended.abort();
  await store.close();
});

/** As one behind a key management service. */
function slow(transformer: ValueTransformer): ValueTransformer {
  return {
    encrypt: async (value, name) => transformer.encrypt(value, name),
    decrypt: async (value, name) => transformer.decrypt(value, name),
  };
}
