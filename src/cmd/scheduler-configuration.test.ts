import { expect, test } from "vitest";
import { readSchedulerConfiguration } from "./scheduler-configuration.ts";

const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
const read = (text: string): object => readSchedulerConfiguration(head + text, "s.yaml");

test("what a configuration says stands for flags", () => {
  const text =
    "leaderElection: { leaderElect: false, leaseDuration: 20s }\nclientConnection: { kubeconfig: /k }\npercentageOfNodesToScore: 30\n";
  expect(read(text)).toEqual({
    flags: { "leader-elect": false, "leader-elect-lease-duration": "20s", kubeconfig: "/k" },
    percentageOfNodesToScore: 30,
  });
  expect(read("")).toEqual({ flags: {} });
});

test.each([
  ["profiles: [{ schedulerName: other }]", "there is one profile"],
  ["percentageOfNodesToScore: 101", "not in valid range [0-100]"],
  ["leaderElect: true", "unknown field"],
])("%s is refused", (text, why) => {
  expect(() => read(text)).toThrow(why);
});
