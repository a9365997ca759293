import { expect, test } from "vitest";
import type { ContainerStatus, Pod } from "#api/generated/core/v1.ts";
import { podPhase } from "./pod-phase.ts";

const base = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0 };
const running: ContainerStatus = { ...base, state: { running: {} }, started: true };
const waiting: ContainerStatus = { ...base, state: { waiting: { reason: "ContainerCreating" } } };
const ended = (exitCode: number): ContainerStatus => ({ ...base, state: { terminated: { exitCode } } });
const heldBack: ContainerStatus = {
  ...base,
  state: { waiting: { reason: "CrashLoopBackOff" } },
  lastState: { terminated: { exitCode: 1 } },
};

interface Case {
  readonly name: string;
  readonly policy?: "Always" | "OnFailure" | "Never";
  readonly init?: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  readonly ending?: boolean;
  readonly want: string;
}

const cases: readonly Case[] = [
  { name: "nothing runs yet", main: [waiting], want: "Pending" },
  { name: "one of two runs", main: [running, waiting], want: "Pending" },
  { name: "all run", main: [running, running], want: "Running" },
  { name: "one runs and one has ended", policy: "Never", main: [running, ended(1)], want: "Running" },
  { name: "one is held back", main: [heldBack], want: "Running" },
  { name: "what always restarts never succeeds", main: [ended(0)], want: "Running" },
  { name: "all succeeded", policy: "OnFailure", main: [ended(0), ended(0)], want: "Succeeded" },
  { name: "a failure is tried again", policy: "OnFailure", main: [ended(0), ended(1)], want: "Running" },
  { name: "a failure is not tried again", policy: "Never", main: [ended(0), ended(1)], want: "Failed" },
  { name: "an init container runs", init: [running], main: [waiting], want: "Pending" },
  { name: "an init container failed for good", policy: "Never", init: [ended(1)], main: [waiting], want: "Failed" },
  { name: "an init container is tried again", init: [ended(1)], main: [waiting], want: "Pending" },
  { name: "init containers are done", init: [ended(0)], main: [running], want: "Running" },
  { name: "deleted, ended well", main: [ended(0)], ending: true, want: "Succeeded" },
  { name: "deleted, ended by a signal", main: [ended(143)], ending: true, want: "Failed" },
  { name: "deleted before anything ran", main: [waiting], ending: true, want: "Failed" },
];

test.each(cases)("$name: $want", ({ policy = "Always", init = [], main, ending = false, want }) => {
  const initContainers = init.map(() => ({ name: "c", image: "i" }));
  const pod: Pod = { metadata: {}, spec: { restartPolicy: policy, initContainers, containers: main.map(() => ({ name: "c" })) } };
  expect(podPhase(pod, { init, main }, ending)).toBe(want);
});
