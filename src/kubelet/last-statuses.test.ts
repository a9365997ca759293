import { expect, test } from "vitest";
import type { ContainerStatus, Pod } from "#api/generated/core/v1.ts";
import { lastStatuses } from "./last-statuses.ts";

const status = (text: string): ContainerStatus => {
  const [name = "", state = "", code = "0"] = text.split(" ");
  const states = { waiting: { waiting: {} }, running: { running: {} }, ended: { terminated: { exitCode: Number(code) } } };
  return { name, state: states[state as keyof typeof states], lastState: {} } as unknown as ContainerStatus;
};
const textOf = ({ name, state }: ContainerStatus): string =>
  `${name} ${state?.terminated === undefined ? "waiting" : (state.terminated.reason ?? `ended ${state.terminated.exitCode}`)}`;

test.each([
  { what: "without init containers all are lost", init: [], main: ["a waiting", "b ended 0"], want: ["a lost", "b ended 0"] },
  { what: "a pod that never came to them", init: ["i ended 1"], main: ["a waiting"], want: ["i ended 1", "a waiting"] },
  { what: "init containers are done", init: ["i ended 0"], main: ["a waiting"], want: ["i ended 0", "a lost"] },
  {
    what: "init containers before one that began have been lost",
    init: ["i waiting", "j ended 1", "k waiting"],
    main: ["a waiting"],
    want: ["i lost", "j ended 1", "k waiting", "a waiting"],
  },
  {
    what: "one container has begun",
    init: ["i waiting"],
    main: ["a waiting", "b ended 2"],
    want: ["i waiting", "a lost", "b ended 2"],
  },
])("$what", ({ init, main, want }) => {
  const initContainers = init.map((text) => ({ name: text.split(" ")[0] }));
  const pod = { metadata: {}, spec: { containers: [], initContainers } } as unknown as Pod;
  const last = lastStatuses(pod, { init: init.map(status), main: main.map(status) });
  const told = [...last.init, ...last.main].map((one) => textOf(one).replace("ContainerStatusUnknown", "lost"));
  expect(told).toEqual(want);
});
