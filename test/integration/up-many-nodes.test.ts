import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";

/** From so many on the program has a thread of its own (`src/cmd/room-for-young.ts`), on a machine with the memory for it. */
const MANY = 2_000;
const MB = 2 ** 20;
const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

describe.skipIf(!isBuilt || memory < 4 * 2 ** 30)("kybern up with many nodes (needs dist/, and 4 GiB of memory)", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kybern-many-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** Starts it with something run before the program, in each of its threads. */
  const up = (nodes: number, { before = "", args = [] as readonly string[] } = {}) => {
    const file = join(dir, "before.cjs");
    writeFileSync(file, `const { isMainThread } = require("node:worker_threads");\n${before}`);
    const env = { ...process.env, NODE_OPTIONS: `--require=${file}` };
    const flags = ["--data-dir", join(dir, "data"), "--secure-port", "0", "--nodes", String(nodes), ...args];
    return new Program(["up", ...flags], { env, embedded: true });
  };
  const isUp = (program: Program) => eventually(() => program.stdout.includes("is up"), 40_000, "the banner");

  test.each(["SIGTERM", "SIGINT"] as const)("%s stops it in order, and all that it says is there", async (signal) => {
    await using program = up(MANY);
    await isUp(program);
    expect(program.stdout).toContain(`${MANY} simulated nodes`);
    program.kill(signal);
    expect(await program.exited).toBe(0);
    expect(program.stdout).toMatch(/Stopping \.\.\.\nStopped\.\n$/);
  });

  test("its young objects have more room, those of fewer nodes what they always had, and old ones as much as there", async () => {
    const before = `
      const limit = require("node:v8").getHeapStatistics().heap_size_limit;
      process.on("exit", () => require("node:fs").writeSync(2, JSON.stringify({ isMainThread, limit }) + "\\n"));`;
    const heaps = async (nodes: number) => {
      await using program = up(nodes, { before, args: ["--help"] });
      expect(await program.exited).toBe(0);
      const lines = program.stderr.trim().split("\n");
      return lines.map((line) => JSON.parse(line) as { readonly isMainThread: boolean; readonly limit: number });
    };
    const [thread, main] = await heaps(MANY);
    expect(thread?.isMainThread).toBe(false);
    // The limit is of old and young ones together.
    expect((thread?.limit ?? 0) - (main?.limit ?? 0)).toBeGreaterThan(200 * MB);
    expect(await heaps(MANY - 1)).toEqual([{ isMainThread: true, limit: main?.limit }]);
  });

  test("what it has not been told to heed ends it as it ends any process", async () => {
    // Its thread has not come to the program yet.
    const before =
      'if (!isMainThread) { require("node:fs").writeSync(2, "waits"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }';
    await using program = up(MANY, { before });
    await eventually(() => program.stderr === "waits", 20_000, "the thread");
    program.kill("SIGTERM");
    expect(await program.exited).toBeNull();
  });

  test("a second signal ends it at once", async () => {
    await using program = up(MANY, { args: ["--shutdown-delay-duration=1h"] });
    await isUp(program);
    program.kill("SIGTERM");
    await eventually(() => program.stdout.includes("Stopping"), 20_000, "the stop");
    program.kill("SIGTERM");
    expect(await program.exited).toBe(130);
  });

  test("an error that nobody catches ends it, and is told", async () => {
    await using program = up(MANY, {
      before: 'if (!isMainThread) setTimeout(() => { throw new RangeError("not foreseen"); }, 100);',
    });
    expect(await program.exited).toBe(1);
    expect(program.stderr).toMatch(/RangeError: not foreseen\n {4}at .*before\.cjs:\d+/);
    expect(program.stderr).toContain(`Node.js ${process.version}`);
  });

  test.each([
    { what: "a wrong flag", args: ["--data-dri=x"], code: 2, want: "did you mean --data-dir?" },
    {
      what: "what cannot start",
      args: ["--data-dir=/dev/null/x"],
      code: 1,
      want: "the data directory /dev/null/x cannot be used",
    },
  ])("$what has its exit code and message", async ({ args, code, want }) => {
    await using program = up(MANY, { args });
    expect(await program.exited).toBe(code);
    expect(program.stderr).toContain(want);
  });
});
