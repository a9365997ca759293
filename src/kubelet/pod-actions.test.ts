import { expect, test } from "vitest";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import type { ContainerStatus } from "#cri/container.ts";
import type { PodSandboxStatus } from "#cri/pod-sandbox.ts";
import { CONTAINER_HASH_ANNOTATION, containerHash } from "./kuberuntime/labels.ts";
import { computePodActions, type PodActions } from "./pod-actions.ts";

const NOW = 1_000_000;

function podOf(spec: Partial<Pod["spec"]>): Pod {
  return {
    metadata: { name: "p", uid: "u" },
    spec: { containers: [{ name: "app", image: "i" }], restartPolicy: "Always", ...spec },
  } as Pod;
}

function status(name: string, state: ContainerStatus["state"], exitCode = 0, attempt = 0): ContainerStatus {
  return {
    id: `${name}-${attempt}`,
    sandboxId: "s",
    metadata: { name, attempt },
    state,
    image: "i",
    imageRef: "i",
    createdAtMs: 0,
    labels: {},
    annotations: {},
    startedAtMs: state === "CONTAINER_CREATED" ? undefined : 0,
    finishedAtMs: state === "CONTAINER_EXITED" ? NOW - 1000 : undefined,
    exitCode,
    reason: "",
    message: "",
    logPath: "",
  };
}

const running = (name: string): ContainerStatus => status(name, "CONTAINER_RUNNING");
const madeFrom = (container: Container): ContainerStatus => ({
  ...running(container.name),
  annotations: { [CONTAINER_HASH_ANNOTATION]: containerHash(container) },
});
const exited = (name: string, code = 0): ContainerStatus => status(name, "CONTAINER_EXITED", code);
const init: Container[] = [
  { name: "a", image: "i" },
  { name: "b", image: "i" },
];
const sidecar: Container[] = [{ name: "side", image: "i", restartPolicy: "Always" }];

const ruled = (action: string): Container => ({
  name: "app",
  image: "i",
  restartPolicy: "Never",
  restartPolicyRules: [{ action, exitCodes: { operator: "In", values: [42] } }],
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly containers: readonly ContainerStatus[];
  readonly allowedAtMs?: number;
  readonly want: { start?: string[]; kill?: string[]; backedOff?: string[]; finished?: boolean; restartAll?: boolean };
}

const ephemeralContainers = [{ name: "debugger", image: "i" }];

const cases: readonly Case[] = [
  {
    name: "an ephemeral container starts beside what runs",
    pod: podOf({ ephemeralContainers }),
    containers: [running("app")],
    want: { start: ["debugger"] },
  },
  {
    name: "an ephemeral container does not wait for initialization",
    pod: podOf({ initContainers: init, ephemeralContainers }),
    containers: [running("a")],
    want: { start: ["debugger"] },
  },
  {
    name: "an ephemeral container that ended is not started again",
    pod: podOf({ ephemeralContainers }),
    containers: [running("app"), exited("debugger", 1)],
    want: {},
  },
  {
    name: "an ephemeral container does not keep a pod alive",
    pod: podOf({ restartPolicy: "Never", ephemeralContainers }),
    containers: [exited("app"), running("debugger")],
    want: { finished: true },
  },
  { name: "a new pod starts its container", pod: podOf({}), containers: [], want: { start: ["app"] } },
  { name: "a running pod is left alone", pod: podOf({}), containers: [running("app")], want: {} },
  { name: "init containers run one by one", pod: podOf({ initContainers: init }), containers: [], want: { start: ["a"] } },
  { name: "the second waits for the first", pod: podOf({ initContainers: init }), containers: [running("a")], want: {} },
  {
    name: "the second follows the first",
    pod: podOf({ initContainers: init }),
    containers: [exited("a")],
    want: { start: ["b"] },
  },
  {
    name: "the rest follows the last",
    pod: podOf({ initContainers: init }),
    containers: [exited("a"), exited("b")],
    want: { start: ["app"] },
  },
  {
    name: "a failed init container is tried again",
    pod: podOf({ initContainers: init }),
    containers: [exited("a", 1)],
    want: { start: ["a"] },
  },
  {
    name: "and ends a pod that never restarts",
    pod: podOf({ initContainers: init, restartPolicy: "Never" }),
    containers: [exited("a", 1)],
    want: { finished: true },
  },
  {
    name: "containers start beside a sidecar",
    pod: podOf({ initContainers: sidecar }),
    containers: [running("side")],
    want: { start: ["app"] },
  },
  { name: "an ended container starts again", pod: podOf({}), containers: [exited("app")], want: { start: ["app"] } },
  {
    name: "but not before its delay is over",
    pod: podOf({}),
    containers: [exited("app", 1)],
    allowedAtMs: NOW + 5,
    want: { backedOff: ["app"] },
  },
  {
    name: "success ends a pod that restarts on failure",
    pod: podOf({ restartPolicy: "OnFailure" }),
    containers: [exited("app")],
    want: { finished: true },
  },
  {
    name: "failure does not",
    pod: podOf({ restartPolicy: "OnFailure" }),
    containers: [exited("app", 1)],
    want: { start: ["app"] },
  },
  {
    name: "failure ends a pod that never restarts",
    pod: podOf({ restartPolicy: "Never" }),
    containers: [exited("app", 1)],
    want: { finished: true },
  },
  {
    name: "a rule starts again what the pod's policy would not",
    pod: podOf({ restartPolicy: "Never", containers: [ruled("Restart")] }),
    containers: [exited("app", 42)],
    want: { start: ["app"] },
  },
  {
    name: "a rule that does not fit leaves it to the container's policy",
    pod: podOf({ restartPolicy: "Always", containers: [ruled("Restart")] }),
    containers: [exited("app", 1)],
    want: { finished: true },
  },
  {
    name: "a rule for all ends the others first",
    pod: podOf({ containers: [ruled("RestartAllContainers"), { name: "other", image: "i" }] }),
    containers: [exited("app", 42), running("other")],
    want: { kill: ["other"] },
  },
  {
    name: "and then begins anew",
    pod: podOf({ containers: [ruled("RestartAllContainers"), { name: "other", image: "i" }] }),
    containers: [exited("app", 42), exited("other", 143)],
    want: { restartAll: true },
  },
  {
    name: "another image replaces the container",
    pod: podOf({ containers: [{ name: "app", image: "j" }] }),
    containers: [madeFrom({ name: "app", image: "i" })],
    want: { kill: ["app"] },
  },
];

test.each(cases)("$name", ({ pod, containers, allowedAtMs, want }) => {
  const sandbox = {
    id: "s",
    metadata: { name: "p", namespace: "", uid: "u", attempt: 0 },
    state: "SANDBOX_READY",
    createdAtMs: 0,
    labels: {},
    annotations: {},
    ip: "1",
    additionalIps: [],
    runtimeHandler: "",
  } as const;
  const actions = computePodActions({
    pod,
    observed: { sandbox, containers },
    nowMs: NOW,
    allowedAtMs: (_name, finishedAtMs) => allowedAtMs ?? finishedAtMs,
    attemptsBefore: () => 0,
  });
  expect({
    start: actions.start.map(({ container }) => container.name),
    kill: actions.kill.map(({ name }) => name),
    backedOff: actions.backedOff,
    finished: actions.finished,
    ...(actions.restartAll === undefined ? {} : { restartAll: actions.restartAll }),
  }).toEqual({ start: [], kill: [], backedOff: [], finished: false, ...want });
});

const deadSandbox: readonly (readonly [string, Partial<Pod["spec"]>, readonly ContainerStatus[], Partial<PodActions>])[] = [
  ["is made anew for what always runs", {}, [exited("app", 137)], { createSandbox: true }],
  [
    "is made anew for what failed and is tried again",
    { restartPolicy: "OnFailure" },
    [exited("app", 1)],
    { createSandbox: true },
  ],
  ["is not made anew for what succeeded", { restartPolicy: "OnFailure" }, [exited("app", 0)], { finished: true }],
  ["is not made anew for what never restarts", { restartPolicy: "Never" }, [exited("app", 1)], { finished: true }],
];

test.each(deadSandbox)("a sandbox that died %s", (_name, spec, containers, want) => {
  const sandbox = { state: "SANDBOX_NOTREADY" } as PodSandboxStatus;
  const actions = computePodActions({
    pod: podOf(spec),
    observed: { sandbox, containers },
    nowMs: NOW,
    allowedAtMs: () => 0,
    attemptsBefore: () => 0,
  });
  expect(actions).toMatchObject({ createSandbox: false, finished: false, start: [], ...want });
});
