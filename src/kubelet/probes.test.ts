import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import { probe } from "./probes.ts";

const STARTED = 100_000;
const running = { state: "CONTAINER_RUNNING" } as ContainerStatus;
const http = (initialDelaySeconds: number) => ({ httpGet: { port: 80 }, initialDelaySeconds });
const pod = (annotations: Record<string, string> = {}): Pod => ({ metadata: { annotations }, spec: { containers: [] } });

const cases: readonly [string, Partial<Container>, number, unknown, ContainerStatus?, Pod?][] = [
  ["without probes it is ready at once", {}, 0, [true, true, undefined]],
  ["what does not run is not", {}, 0, [false, false, undefined], { ...running, state: "CONTAINER_EXITED" }],
  ["readiness waits for its delay", { readinessProbe: http(5) }, 4, [true, false, 5]],
  ["and comes when it is over", { readinessProbe: http(5) }, 5, [true, true, undefined]],
  ["a startup probe holds both back", { startupProbe: http(3), readinessProbe: http(0) }, 2, [false, false, 3]],
  ["and lets both through", { startupProbe: http(3), readinessProbe: http(0) }, 3, [true, true, undefined]],
  ["readiness counts from the start", { startupProbe: http(3), readinessProbe: http(9) }, 3, [true, false, 9]],
  [
    "a test can keep it from being ready",
    { readinessProbe: http(0) },
    60,
    [true, false, undefined],
    running,
    pod({ "kybern.io/simulated-ready": "false" }),
  ],
];

test.each(cases)("%s", (_name, container, afterSeconds, want, status = running, of = pod()) => {
  const times = { nowMs: STARTED + afterSeconds * 1000, startedAtMs: STARTED };
  const result = probe(of, { name: "c", image: "i", ...container }, status, times);
  const changes = result.changesAtMs === undefined ? undefined : (result.changesAtMs - STARTED) / 1000;
  expect([result.started, result.ready, changes]).toEqual(want);
});
