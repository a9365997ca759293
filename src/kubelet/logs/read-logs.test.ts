import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { LOG_BYTES_MAX, MemoryLog } from "#cri/fake/memory-log.ts";
import type { LogOptions } from "./log-options.ts";
import { readLogs } from "./read-logs.ts";

const START = Date.parse("2030-01-01T00:00:00Z");
const ALL: LogOptions = {
  follow: false,
  previous: false,
  timestamps: false,
  sinceMs: undefined,
  tailLines: undefined,
  limitBytes: undefined,
  streams: ["stdout", "stderr"],
};

function logOf(clock: ManualClock = new ManualClock(START)): MemoryLog {
  const log = new MemoryLog(clock);
  log.append("stdout", Buffer.from("one\ntw"));
  clock.advance(1000);
  log.append("stderr", Buffer.from("oops\n"));
  clock.advance(1000);
  log.append("stdout", Buffer.from("o\nthree\n"));
  log.append("stdout", Buffer.from("rest"));
  log.finish();
  return log;
}

async function read(log: MemoryLog, options: Partial<LogOptions>): Promise<string> {
  let text = "";
  const write = async (data: Buffer): Promise<void> => {
    text += data;
  };
  await readLogs(log, {
    options: { ...ALL, ...options },
    write,
    isRunning: async () => false,
    signal: new AbortController().signal,
  });
  return text;
}

const cases: readonly (readonly [string, Partial<LogOptions>, string])[] = [
  ["all", {}, "one\noops\ntwo\nthree\nrest\n"],
  ["followed to its end", { follow: true }, "one\noops\ntwo\nthree\nrest\n"],
  ["the last lines", { tailLines: 2 }, "three\nrest\n"],
  ["more lines than there are", { tailLines: 100 }, "one\noops\ntwo\nthree\nrest\n"],
  ["no line", { tailLines: 0 }, ""],
  ["one stream", { streams: ["stderr"] }, "oops\n"],
  ["since a time", { sinceMs: START + 1500 }, "two\nthree\nrest\n"],
  ["some bytes", { limitBytes: 6 }, "one\noo"],
  ["the last lines of what is not too old", { tailLines: 4, sinceMs: START + 1500, limitBytes: 5 }, "two\nt"],
  [
    "with times",
    { timestamps: true, tailLines: 5, limitBytes: 73 },
    "2030-01-01T00:00:00.000000000Z one\n2030-01-01T00:00:01.000000000Z oops\n20",
  ],
];
test.each(cases)("%s", async (_name, options, want) => {
  expect(await read(logOf(), options)).toBe(want);
});

test("a long line that was kept in parts is one line, with one time", async () => {
  const log = new MemoryLog(new ManualClock(START));
  const long = "x".repeat(40_000);
  log.append("stdout", Buffer.from(`${long}\n`));
  expect(await read(log, { timestamps: true })).toBe(`2030-01-01T00:00:00.000000000Z ${long}\n`);
});

test("a log loses its beginning, not its end", async () => {
  const log = new MemoryLog(new ManualClock(START));
  const line = "y".repeat(1000);
  for (let i = 0; i < 2000; i++) log.append("stdout", Buffer.from(`${i} ${line}\n`));
  const kept = (await read(log, {})).trimEnd().split("\n");
  expect((await log.end()) - log.start()).toBeLessThanOrEqual(LOG_BYTES_MAX);
  expect(kept.at(-1)).toBe(`1999 ${line}`);
  expect(await read(log, { tailLines: 3 })).toBe(`${kept.slice(-3).join("\n")}\n`);
});

test("what is followed comes as it is said, until the container ends", async () => {
  const log = new MemoryLog(new ManualClock(START));
  let running = true;
  const pieces: string[] = [];
  let told = (): void => {};
  const write = async (data: Buffer): Promise<void> => {
    pieces.push(String(data));
    told();
  };
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      told = resolve;
    });
  const signal = new AbortController().signal;
  const done = readLogs(log, { options: { ...ALL, follow: true }, write, isRunning: async () => running, signal });
  for (const word of ["a", "b"]) {
    const heard = next();
    log.append("stdout", Buffer.from(`${word}\n`));
    await heard;
  }
  running = false;
  log.append("stdout", Buffer.from("end"));
  log.finish();
  await done;
  expect(pieces).toEqual(["a\n", "b\n", "end\n"]);
});

test("who is gone is not written to", async () => {
  const gone = new AbortController();
  const reading = { options: { ...ALL, follow: true }, write: async () => {}, isRunning: async () => true, signal: gone.signal };
  const done = readLogs(logOf(), reading);
  setImmediate(() => gone.abort());
  await done;
});
