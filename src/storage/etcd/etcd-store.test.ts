import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { seededRandom } from "#base/random.ts";
import type { StorageError } from "../kv.ts";
import { EtcdStore } from "./etcd-store.ts";
import { FakeMember, rangeAt, type WatchCall } from "./fake-member.ts";

const TXN = "/etcdserverpb.KV/Txn";
const until = (condition: () => boolean): Promise<void> => expect.poll(condition, { interval: 1 }).toBe(true);

let members: FakeMember[];
let store: EtcdStore;
/** A store whose time passes when the test says so. */
let patient: EtcdStore;
let clock: ManualClock;
beforeEach(async () => {
  members = [new FakeMember(), new FakeMember()];
  const urls: string[] = [];
  for (const member of members) urls.push(await member.listen());
  clock = new ManualClock();
  // They begin with the first.
  [store, patient] = [realClock, clock].map(
    (time) => new EtcdStore({ urls, tls: {}, clock: time, random: { ...seededRandom(1), int: () => 0 } }),
  ) as [EtcdStore, EtcdStore];
});
afterEach(async () => {
  await store.close();
  await patient.close();
  for (const member of members) await member[Symbol.asyncDispose]();
});

/** As the client has them. */
const [READ_TRY_MS, WRITE_TRY_MS] = [3_000, 7_000];

/** Time goes by, in which members answer. */
async function passes(milliseconds: number): Promise<void> {
  const step = 500;
  for (let passed = 0; passed < milliseconds; passed += step) {
    clock.advance(step);
    await realClock.sleep(10);
  }
}
const member = (i: number): FakeMember => members[i] as FakeMember;

/** A watch's revisions with the keys that came with them. */
function follow(
  prefix: string,
  startRevision?: number,
  by: EtcdStore = store,
): { seen: string[]; errors: StorageError[]; stop: AbortController } {
  const followed = { seen: [] as string[], errors: [] as StorageError[], stop: new AbortController() };
  by.watch(prefix, {
    ...(startRevision === undefined ? {} : { startRevision }),
    signal: followed.stop.signal,
    onEvents: (events, revision) => void followed.seen.push(`${revision}: ${events.map(({ key }) => key).join(" ")}`),
    onError: (error) => void followed.errors.push(error),
  });
  return followed;
}

const created = ({ calls }: FakeMember): WatchCall[] => calls.filter(({ type }) => type === "create");

describe("watches", () => {
  test("a member that can be asked is asked how far the watch is, again and again until it says so", async () => {
    const { seen } = follow("/a/", 5);
    await until(() => created(member(0)).length === 1);
    expect(created(member(0))).toEqual([{ type: "create", id: 1, key: "/a/", startRevision: 5 }]);
    member(0).reply({ id: 1, created: true, revision: 4 });
    member(0).onUnary = () => rangeAt(9);
    expect(await store.currentRevision()).toBe(9);
    const asked = () => member(0).calls.filter(({ type }) => type === "progress").length;
    await until(() => asked() >= 2);
    expect(seen).toEqual([]);
    member(0).reply({ id: 1, revision: 7, puts: [["/a/x", 7]] });
    member(0).reply({ id: -1, revision: 9 });
    await until(() => seen.length === 2);
    expect(seen).toEqual(["7: /a/x", "9: "]);
    const before = asked();
    await store.currentRevision();
    await realClock.sleep(150);
    expect(asked()).toBe(before);
  });

  test("of an older member every key is watched, and none is asked", async () => {
    member(0).version = "3.4.23";
    const { seen } = follow("/a/", 5);
    await until(() => created(member(0)).length === 1);
    expect(created(member(0))).toMatchObject([{ key: "\0" }]);
    member(0).reply({ id: 1, created: true, revision: 4 });
    member(0).onUnary = () => rangeAt(6);
    await store.currentRevision();
    member(0).reply({
      id: 1,
      revision: 6,
      puts: [
        ["/a/x", 5],
        ["/b", 6],
      ],
    });
    await until(() => seen.length === 1);
    expect(seen).toEqual(["6: /a/x"]);
    expect(member(0).calls).toHaveLength(1);
  });

  test("a lost stream goes on at the next member, from where it was", async () => {
    const [from, now] = [follow("/a/", 5), follow("/b/")];
    await until(() => created(member(0)).length === 2);
    member(0).reply({ id: 1, created: true, revision: 9 });
    member(0).reply({ id: 2, created: true, revision: 9 });
    member(0).reply({ id: 1, revision: 7, puts: [["/a/x", 7]] });
    await until(() => from.seen.length === 1);
    member(0).drop();
    await until(() => created(member(1)).length === 2);
    expect(created(member(1))).toMatchObject([
      { id: 1, startRevision: 8 },
      { id: 2, startRevision: 10 },
    ]);
    member(1).reply({ id: 1, created: true, revision: 9 });
    // What was delivered already is not delivered again.
    member(1).reply({
      id: 1,
      revision: 8,
      puts: [
        ["/a/x", 7],
        ["/a/y", 8],
      ],
    });
    await until(() => from.seen.length === 2);
    expect(from.seen).toEqual(["7: /a/x", "8: /a/y"]);
    expect([...from.errors, ...now.errors]).toEqual([]);
  });

  test("watches go to the next member with the calls, when theirs does not answer in time", async () => {
    follow("/a/", 5, patient);
    await until(() => created(member(0)).length === 1);
    member(0).reply({ id: 1, created: true, revision: 4 });
    member(0).onUnary = () => "hang";
    member(1).onUnary = () => rangeAt(9);
    const revision = patient.currentRevision();
    await until(() => member(0).unary.length === 1);
    await passes(READ_TRY_MS);
    expect(await revision).toBe(9);
    await until(() => created(member(1)).length === 1);
    expect(created(member(1))).toMatchObject([{ id: 1, startRevision: 5 }]);
  });

  test("one that is stopped is cancelled; one that is refused, even without its id, ends with the reason", async () => {
    const [stopped, refused] = [follow("/a/"), follow("/b/")];
    await until(() => created(member(0)).length === 2);
    member(0).reply({ id: 1, created: true, revision: 1 });
    member(0).reply({ id: -1, created: true, canceled: true, reason: "etcdserver: permission denied" });
    await until(() => refused.errors.length === 1);
    expect(refused.errors).toMatchObject([{ code: "Unavailable", message: "etcdserver: permission denied" }]);
    stopped.stop.abort();
    await until(() => member(0).calls.some((call) => call.type === "cancel" && call.id === 1));
    expect(stopped.errors).toEqual([]);
  });
});

describe("calls", () => {
  const txn = () => store.txn({ key: "/a", expectedModRevision: 0, put: { value: new Uint8Array(1) } });

  test.each([
    { code: 14, message: "etcdserver: no leader" },
    // Our own time limit, when the member sees first that it is over.
    { code: 2, message: "context deadline exceeded" },
  ])("a read that a member cannot answer ($message) is answered by the next, which is asked from then on", async (failure) => {
    member(0).onUnary = () => failure;
    member(1).onUnary = () => rangeAt(3);
    expect(await store.currentRevision()).toBe(3);
    expect(await store.currentRevision()).toBe(3);
    expect([member(0).unary.length, member(1).unary.length]).toEqual([1, 2]);
  });

  test("a write that a member may have seen is not made again", async () => {
    member(0).onUnary = () => {
      member(0).drop();
      return "hang";
    };
    await expect(txn()).rejects.toMatchObject({ code: "Unavailable" });
    expect([member(0).unary, member(1).unary]).toEqual([[TXN], []]);
  });

  test("a write that a living member does not answer in time fails alone", async () => {
    let answer: (message: Uint8Array) => void = () => undefined;
    const held = new Promise<Uint8Array>((resolve) => {
      answer = resolve;
    });
    member(0).onUnary = () => "hang";
    const late = patient.txn({ key: "/late", expectedModRevision: 0 }).catch((error: unknown) => error);
    await until(() => member(0).unary.length === 1);
    member(0).onUnary = () => held;
    clock.advance(WRITE_TRY_MS / 2);
    const younger = patient.txn({ key: "/younger", expectedModRevision: 0 });
    await until(() => member(0).unary.length === 2);
    await passes(WRITE_TRY_MS / 2);
    expect(await late).toMatchObject({ code: "Unavailable", message: "context deadline exceeded" });
    answer(new Uint8Array());
    expect(await younger).toMatchObject({ succeeded: false });
  });

  test("a write to a member that is not there goes to the next", async () => {
    await member(0)[Symbol.asyncDispose]();
    await txn();
    expect(member(1).unary).toEqual([TXN]);
  });

  test.each([
    { code: 8, message: "etcdserver: mvcc: database space exceeded", want: "NoSpace" },
    { code: 3, message: "etcdserver: request is too large", want: "TooLarge" },
    { code: 8, message: "grpc: received message larger than max (9 vs. 8)", want: "TooLarge" },
    { code: 5, message: "etcdserver: requested lease not found", want: "LeaseNotFound" },
    { code: 7, message: "etcdserver: permission denied", want: "Unavailable" },
  ])("status $code with $message is $want", async ({ code, message, want }) => {
    member(0).onUnary = () => ({ code, message });
    await expect(txn()).rejects.toMatchObject({ code: want });
  });

  test("questions for the revision at one time share their answers", async () => {
    member(0).onUnary = () => rangeAt(3);
    await Promise.all(Array.from({ length: 50 }, () => store.currentRevision()));
    expect(member(0).unary).toHaveLength(2);
  });
});
