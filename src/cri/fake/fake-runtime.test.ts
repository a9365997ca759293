import { expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { describeRuntimeContract } from "../runtime-service.contract.ts";
import { behaviourOf } from "./behaviour.ts";
import { FakeRuntime } from "./fake-runtime.ts";

describeRuntimeContract("fake", async () => {
  return new FakeRuntime({ clock: realClock, allocateIp: () => "10.244.0.2", releaseIp: () => {}, idPrefix: "a" });
});

const base = { name: "app", command: [], args: [], labels: {}, annotations: {} };
const cases: readonly (readonly [string, Partial<typeof base>, object])[] = [
  ["a server runs for ever", {}, { runMs: undefined }],
  ["a job's container ends soon", { labels: { "kybern.io/completes": "true" } }, { runMs: 1000, exitCode: 0 }],
  ["sleep is understood", { command: ["sleep", "3600"] as never[] }, { runMs: 3_600_000, exitCode: 0 }],
  ["a script that fails", { command: ["sh", "-c", "sleep 2; exit 3"] as never[] }, { runMs: 2000, exitCode: 3 }],
  [
    "an unknown script of a job",
    { command: ["sh", "-c", "echo hi"] as never[], labels: { "kybern.io/completes": "true" } },
    { runMs: 1000, exitCode: 0 },
  ],
  [
    "annotations decide",
    { annotations: { "kybern.io/simulated-exit-code": "7", "kybern.io/simulated-run-seconds.app": "5" } },
    { runMs: 5000, exitCode: 7 },
  ],
];
test.each(cases)("%s", (_name, container, want) => {
  expect(behaviourOf({ ...base, ...container })).toMatchObject(want);
});
