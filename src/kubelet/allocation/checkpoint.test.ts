import { expect, test } from "vitest";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";

const pods = new Map([
  ["b", { containers: new Map([["c1", { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } }]]) }],
  ["a", { containers: new Map([["c1", {}]]), pod: { requests: { cpu: "3" } } }],
]);

test("what is written is read again, whatever order it was in", () => {
  const text = encodeCheckpoint(pods);
  expect(decodeCheckpoint(text)).toEqual(pods);
  expect(encodeCheckpoint(new Map([...pods].reverse()))).toBe(text);
  expect(decodeCheckpoint(encodeCheckpoint(new Map()))).toEqual(new Map());
});

test("a file that upstream's kubelet has written is read", () => {
  const data = String.raw`{\"entries\":{\"pod1\":{\"ContainerResources\":{\"container1\":{\"requests\":{\"cpu\":\"1Ki\",\"memory\":\"1Ki\"}}}}}}`;
  const resources = { requests: { cpu: "1Ki", memory: "1Ki" } };
  expect(decodeCheckpoint(`{"data":"${data}","checksum":1178570812}`)).toEqual(
    new Map([["pod1", { containers: new Map([["container1", resources]]) }]]),
  );
});

const whole = encodeCheckpoint(pods);
test.each([
  ["", "unexpected end of JSON input"],
  [whole.slice(0, -20), "unexpected end of JSON input"],
  ["x", "invalid character 'x' looking for beginning of value"],
  [whole.replace("1Gi", "9Gi"), "checkpoint is corrupted"],
  ["{}", "checkpoint is corrupted"],
  ["[]", "checkpoint is corrupted"],
])("%j is told as %s", (text, message) => {
  expect(() => decodeCheckpoint(text)).toThrow(message);
});
