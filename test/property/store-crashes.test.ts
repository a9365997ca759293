import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { realHostFiles } from "#base/host-files.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { type Random, seededRandom } from "#base/random.ts";
import type { KeyValue, KVStore, TxnRequest } from "#storage/kv.ts";
import type { LogFiles } from "#storage/lmdb/log-segment.ts";
import { openLmdbStore } from "#storage/lmdb/open-lmdb-store.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";

const LIVES = 40 * Number(process.env.PROPERTY_RUNS ?? "1");
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 100_000);
/** What a disk writes whole, or not at all. */
const SECTOR_BYTES = 512;
const KEYS = 12;
const STEPS_MAX = 80;
/** Fewer than most lives come to. */
const APPENDS_MAX = 6;
/** Longer than a write waits for LMDB. */
const LATER_MS = 1_000;

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "kybern-crashes-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A machine that loses its power: of the write to the log that is under way some sectors come to the disk, and others do not. */
class Machine {
  readonly logFiles: LogFiles;
  readonly #random: Random;
  #lives = 0;
  #writesLeft = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
    mkdirSync(this.dir);
    const open = async (...args: Parameters<LogFiles["open"]>): Promise<FileHandle> =>
      this.#watched(await realHostFiles.open(...args), basename(String(args[0])));
    this.logFiles = { open };
  }

  /** How often it was started anew. */
  get lives(): number {
    return this.#lives;
  }

  get dir(): string {
    return join(root, `life-${this.#lives}`);
  }

  /** The power fails at the write after so many. */
  failAfter(writes: number): void {
    this.#writesLeft = writes;
  }

  /** Takes what is on the disk at this moment to another place, where the next life begins. */
  crash(): void {
    const from = this.dir;
    this.#writesLeft = Number.POSITIVE_INFINITY;
    this.#lives += 1;
    mkdirSync(this.dir);
    // LMDB's file may be read during a commit: what the last commit needs is left alone until the next but one.
    for (const name of ["data.mdb", ...readdirSync(from).filter((one) => one.startsWith("log-"))])
      copyFileSync(join(from, name), join(this.dir, name));
  }

  #watched(handle: FileHandle, name: string): FileHandle {
    const life = this.#lives;
    const write = async (bytes: Buffer, from: number, length: number, position: number): Promise<unknown> => {
      if (life !== this.#lives) throw new Error("the machine is off");
      if (this.#writesLeft > 0) {
        this.#writesLeft -= 1;
        return handle.write(bytes, from, length, position);
      }
      this.crash();
      const path = join(this.dir, name);
      const image = readFileSync(path);
      this.#tear(image, bytes.subarray(from, from + length), position);
      writeFileSync(path, image);
      throw new Error("the machine is off");
    };
    return new Proxy(handle, {
      get: (target, property) => {
        if (property === "write") return write;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #tear(image: Buffer, bytes: Buffer, position: number): void {
    const chance = this.#random.float();
    for (let at = 0; at < bytes.byteLength; ) {
      const end = Math.min(bytes.byteLength, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
      if (this.#random.float() < chance) bytes.copy(image, position + at, at, end);
      at = end;
    }
  }
}

/** What the store should hold, as the store in memory has it: one revision for each write of the history. */
class Model {
  #history: TxnRequest[] = [];
  #store = new MemoryStore({ clock: new ManualClock(), historyRevisionsMax: 1_000_000 });

  async write(request: TxnRequest): Promise<boolean> {
    const result = this.#store.txn(request);
    const { succeeded, revision } = await result;
    if (succeeded && revision > this.#history.length + 1) this.#history.push(request);
    return succeeded;
  }

  get revision(): number {
    return this.#history.length + 1;
  }

  async get(key: string): Promise<KeyValue | undefined> {
    return (await this.#store.get(key)).kv;
  }

  async shown(revision: number): Promise<string[]> {
    return (await this.#store.list("", { revision })).kvs.map(shown);
  }

  /** Forgets what was written after `revision`. */
  async forgetAfter(revision: number): Promise<void> {
    const kept = this.#history.slice(0, revision - 1);
    this.#history = [];
    this.#store = new MemoryStore({ clock: new ManualClock(), historyRevisionsMax: 1_000_000 });
    for (const request of kept) await this.write(request);
  }
}

function shown({ key, value, createRevision, modRevision, version }: KeyValue): string {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return [key, createRevision, modRevision, version, text.byteLength, text.toString("latin1", 0, 20)].join(" ");
}

/** One run of the program, from its start to the crash. */
class Life {
  /** The newest revision that was told to somebody. */
  newest = 1;
  compacted = 0;
  readonly counts = { writes: 0, refused: 0, reads: 0, watches: 0, events: 0 };
  readonly #store: KVStore;
  readonly #model: Model;
  readonly #random: Random;
  readonly #isOver: () => boolean;
  readonly #end = new AbortController();
  readonly #under: Promise<void>[] = [];

  constructor(parts: { store: KVStore; model: Model; random: Random; isOver: () => boolean }) {
    this.#store = parts.store;
    this.#model = parts.model;
    this.#random = parts.random;
    this.#isOver = parts.isOver;
  }

  async step(clock: ManualClock): Promise<void> {
    const dice = this.#random.int(100);
    if (dice < 65) await this.#write();
    else if (dice < 72) this.#read();
    else if (dice < 75) await this.#watch();
    else if (dice < 77) this.#compact();
    else if (dice < 82) clock.advance(LATER_MS);
    else if (dice < 92) await setImmediate();
    else await Promise.all(this.#under.splice(0));
  }

  async end(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#under);
    await this.#store.close();
  }

  /** What comes after the crash is not heard by anybody, and a failure is one only before it. */
  #follow(what: Promise<() => unknown>): void {
    this.#under.push(
      what.then(
        async (judge) => {
          if (!this.#isOver()) await judge();
        },
        (error: unknown) => {
          if (!this.#isOver()) throw error;
        },
      ),
    );
  }

  async #write(): Promise<void> {
    const key = `/k/${this.#random.int(KEYS)}`;
    const current = await this.#model.get(key);
    const isStale = this.#random.float() < 0.1;
    const size = this.#random.float() < 0.02 ? this.#random.int(1_500_000) : this.#random.int(3_000);
    const value = Buffer.alloc(size, `${this.#random.int(1e9)} `);
    const request: TxnRequest = {
      key,
      expectedModRevision: isStale ? 1_000_000 : (current?.modRevision ?? 0),
      ...(this.#random.float() < 0.8 ? { put: { value } } : {}),
    };
    const before = this.#model.revision;
    const answer = this.#store.txn(request);
    const expected = await this.#model.write(request);
    const revision = this.#model.revision;
    this.#follow(
      answer.then((result) => () => {
        expect(result.succeeded).toBe(expected);
        if (revision > before) expect(result.revision).toBe(revision);
        if (result.succeeded) this.counts.writes += 1;
        else this.counts.refused += 1;
        this.newest = Math.max(this.newest, result.revision);
      }),
    );
  }

  #read(): void {
    const { newest } = this;
    this.#follow(
      this.#store.list("").then(({ kvs, revision }) => async () => {
        this.counts.reads += 1;
        expect(revision).toBeGreaterThanOrEqual(newest);
        expect(kvs.map(shown)).toEqual(await this.#model.shown(revision));
      }),
    );
    const key = `/k/${this.#random.int(KEYS)}`;
    this.#follow(
      this.#store.get(key).then(({ kv }) => async () => {
        if (kv !== undefined) expect(await this.#model.shown(kv.modRevision)).toContain(shown(kv));
      }),
    );
  }

  async #watch(): Promise<void> {
    const newest = await this.#store.currentRevision().catch(() => 0);
    if (newest === 0) return;
    const first = Math.max(this.compacted, newest - this.#random.int(30) + 1, 2);
    let next = first;
    this.counts.watches += 1;
    this.#store.watch("", {
      startRevision: first,
      signal: this.#end.signal,
      onEvents: (events) => {
        for (const event of events) {
          this.counts.events += 1;
          expect(event.revision).toBe(next);
          next += 1;
        }
      },
      onError: (error) => {
        if (!this.#isOver()) throw error;
      },
    });
  }

  #compact(): void {
    this.#follow(
      this.#store.currentRevision().then(async (newest) => {
        const revision = Math.max(1, newest - this.#random.int(20));
        this.compacted = Math.max(this.compacted, revision);
        await this.#store.compact(revision);
        return () => undefined;
      }),
    );
  }
}

test(`what was acknowledged is there after a crash at any moment, and nothing is there in part (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const machine = new Machine(random);
  const model = new Model();
  let [newest, compacted] = [1, 0];
  const total = { writes: 0, refused: 0, reads: 0, watches: 0, events: 0, lost: 0, unheard: 0 };
  for (let i = 0; i < LIVES; i++) {
    const clock = new ManualClock();
    const life = machine.lives;
    // A start may end by a crash, too.
    if (random.float() < 0.1) machine.failAfter(0);
    const open = (): Promise<KVStore> => openLmdbStore({ dir: machine.dir, clock, logFiles: machine.logFiles });
    const store = await open().catch((error: unknown) => {
      if (machine.lives === life) throw error;
      return open();
    });
    const revision = await store.currentRevision();
    expect(revision).toBeGreaterThanOrEqual(newest);
    total.lost += model.revision - revision;
    total.unheard += revision - newest;
    await model.forgetAfter(revision);
    for (const at of [revision, revision - random.int(10), revision - random.int(100)]) {
      if (at < Math.max(compacted, 1)) continue;
      expect((await store.list("", { revision: at })).kvs.map(shown), `revision ${at}`).toEqual(await model.shown(at));
    }
    const [born, dir] = [machine.lives, machine.dir];
    const run = new Life({ store, model, random, isOver: () => machine.lives !== born });
    run.newest = revision;
    run.compacted = compacted;
    if (random.float() < 0.7) machine.failAfter(random.int(APPENDS_MAX));
    for (let step = random.int(STEPS_MAX); step > 0 && machine.lives === born; step--) await run.step(clock);
    if (machine.lives === born) machine.crash();
    newest = run.newest;
    compacted = run.compacted;
    for (const [what, count] of Object.entries(run.counts)) total[what as keyof typeof run.counts] += count;
    await run.end();
    rmSync(dir, { recursive: true });
  }
  for (const [what, count] of Object.entries(total)) expect(count, what).toBeGreaterThan(0);
});
