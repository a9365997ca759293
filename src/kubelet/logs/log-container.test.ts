import { expect, test } from "vitest";
import type { ContainerStatus } from "#api/generated/core/v1.ts";
import { logContainer } from "./log-container.ts";

const ended = (containerID: string) => ({ terminated: { exitCode: 1, containerID } });
const where = 'container "c" in pod "p"';
const cases: readonly (readonly [string, Partial<ContainerStatus> | undefined, boolean, object])[] = [
  ["one that runs", { state: { running: {} }, containerID: "fake://2" }, false, { containerId: "2" }],
  ["one that has ended", { state: ended("fake://2") }, false, { containerId: "2" }],
  ["one that waits for its next start", { state: { waiting: {} }, lastState: ended("fake://1") }, false, { containerId: "1" }],
  [
    "the one before",
    { state: { running: {} }, containerID: "fake://2", lastState: ended("fake://1") },
    true,
    { containerId: "1" },
  ],
  ["none before", { state: { running: {} } }, true, { message: `previous terminated ${where} not found` }],
  ["none at all", undefined, false, { message: `${where} is not available` }],
  [
    "not yet",
    { state: { waiting: { reason: "PodInitializing" } } },
    false,
    { message: `${where} is waiting to start: PodInitializing` },
  ],
  [
    "an image",
    { state: { waiting: { reason: "ErrImagePull" } } },
    false,
    { message: `${where} is waiting to start: image can't be pulled` },
  ],
  ["nothing known", { state: {} }, false, { message: `${where} is waiting to start - no logs yet` }],
];
test.each(cases)("%s", (_name, status, previous, want) => {
  const containerStatuses = status === undefined ? [] : [{ name: "c", ...status } as ContainerStatus];
  expect(logContainer("p", { containerStatuses }, "c", previous)).toEqual(want);
});
