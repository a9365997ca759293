import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/kubectl.ts";
import { isBuilt, Program } from "../support/program.ts";
import { hasRecorded, type RecordedCase, readCases, readFailing, replay, writeFailing } from "../support/recorded.ts";

/** Some answers name the port that the recorded server had. */
const PORT = 46_443;

/** Cases under way at once. */
const JOBS = 12;

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
  });
  afterAll(async () => {
    await program?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
    if (update)
      writeFailing(
        [...known].filter((id) => !areas.some(([, cases]) => cases.some((c) => c.id === id))).concat([...failing.keys()]),
      );
  });

  test.each(areas)("%s", async (_area, cases) => {
    const expected = (recorded: RecordedCase) => !known.has(recorded.id);
    const run = update ? cases : cases.filter(expected);
    let failures = await replay(server, run, JOBS);
    // A case that waits for controllers may have met a busy machine: what really differs differs alone, too.
    if (failures.size > 0 && failures.size <= 25)
      failures = await replay(
        server,
        run.filter((c) => failures.has(c.id)),
        2,
      );
    if (update) for (const [id, text] of failures) failing.set(id, text);
    else expect([...failures].map(([id, text]) => `${id}\n${text}`).join("\n\n")).toBe("");
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
