import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";
import { hasRecorded, type RecordedCase, readCases, readFailing, replay, writeFailing } from "../support/recorded.ts";

/** Some answers name the port that the recorded server had. */
const PORT = 46_443;

/** Cases under way at once: of those that only ask, and of those that wait for controllers, which cost little meanwhile. */
const JOBS = 8;
const WAITING_JOBS = 24;

/** For all cases together, in milliseconds. */
const REPLAY_TIMEOUT_MS = 1_500_000;

/** `UPDATE_RECORDED=1` writes the list of failing cases anew; `RECORDED_AREA` limits a run to areas that match. */
const update = process.env.UPDATE_RECORDED === "1";
const only = new RegExp(process.env.RECORDED_AREA ?? "");

const reason = "needs ../shared/upstream/recorded, and dist/, which npm run build makes";

describe.skipIf(!hasRecorded || !isBuilt)(`answers of upstream v1.36.2 (${reason})`, () => {
  const areas = hasRecorded ? [...readCases()].filter(([area]) => only.test(area)) : [];
  const known = readFailing();
  const failing = new Map<string, string>();
  const dir = mkdtempSync(join(tmpdir(), "kybern-recorded-"));
  const pem = (name: string) => join(dir, "pki", `${name}.pem`);
  const server = { url: `https://127.0.0.1:${PORT}`, ca: pem("ca"), cert: pem("admin"), key: pem("admin-key") };
  let program: Program;

  beforeAll(async () => {
    const recorded = ["--anonymous-auth", "--service-cluster-ip-range", "10.0.0.0/24"];
    program = new Program(["up", "--data-dir", dir, "--secure-port", String(PORT), "--nodes", "0", ...recorded]);
    await eventually(() => program.stdout.includes("is up"), 20_000, "the banner");
    const run = areas.flatMap(([, cases]) => cases).filter(({ id }) => update || !known.has(id));
    const first = await replayAll(run);
    // A case that waits for controllers may have met a busy machine: what really differs differs again.
    const again = await replayAll(run.filter(({ id }) => first.has(id)));
    for (const [id, text] of again) failing.set(id, text);
  }, REPLAY_TIMEOUT_MS);

  async function replayAll(cases: readonly RecordedCase[]): Promise<Map<string, string>> {
    const parts = await Promise.all([
      replay(
        server,
        cases.filter((recorded) => !waits(recorded)),
        JOBS,
      ),
      replay(server, cases.filter(waits), WAITING_JOBS),
    ]);
    return new Map(parts.flatMap((part) => [...part]));
  }

  afterAll(async () => {
    await program?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
    if (update)
      writeFailing(
        [...known.keys()].filter((id) => !areas.some(([, cases]) => cases.some((c) => c.id === id))).concat([...failing.keys()]),
      );
  });

  test.each(areas)("%s", (_area, cases) => {
    const texts = cases.flatMap(({ id }) => (failing.has(id) ? [`${id}\n${failing.get(id)}`] : []));
    if (!update) expect(texts.join("\n\n")).toBe("");
  });

  test.runIf(!update)("no case of the list of failing ones passes", async () => {
    const listed = areas.flatMap(([, cases]) => cases).filter((recorded) => known.has(recorded.id) && !waits(recorded));
    let passing = listed;
    for (let round = 0; round < 2 && passing.length > 0; round++) {
      const failures = await replay(server, passing, JOBS);
      passing = passing.filter((recorded) => !failures.has(recorded.id));
    }
    expect(
      passing.map((recorded) => recorded.id),
      "remove these from test/conformance/recorded-failing.txt",
    ).toEqual([]);
  });
});

/** Cases that poll for a controller's work take long to fail, and do so by the clock. */
function waits(recorded: RecordedCase): boolean {
  return JSON.stringify(recorded).includes('"kind":"poll"') || JSON.stringify(recorded).includes('"kind":"sleep"');
}
