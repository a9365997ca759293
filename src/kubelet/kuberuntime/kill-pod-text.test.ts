import { expect, test } from "vitest";
import { GrpcError } from "#base/grpc/grpc-error.ts";
import { killPodText } from "./kill-pod-text.ts";

const error = new GrpcError(14, 'connection error: desc = "gone"');
const why = String.raw`"rpc error: code = Unavailable desc = connection error: desc = \"gone\""`;

test.each([
  [[], `error killing pod: failed to "KillPodSandbox" for "u" with KillPodSandboxError: ${why}`],
  [
    ["a"],
    `error killing pod: [failed to "KillContainer" for "a" with KillContainerError: ${why}, failed to "KillPodSandbox" for "u" with KillPodSandboxError: ${why}]`,
  ],
])("of a pod in which %j ran", (running, text) => expect(killPodText("u", running, error)).toBe(text));
