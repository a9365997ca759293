import { expect, test } from "vitest";
import { resolveRequestInfo } from "../request/resolve-request-info.ts";
import { isLongRunning, requestTimeoutMs } from "./request-timeout.ts";

test.each([
  ["", 60_000],
  ["timeout=", 60_000],
  ["timeout=5s", 5000],
  ["timeout=2m", 60_000],
  ["timeout=0s", 60_000],
  ["timeout=-1s", 60_000],
])("%j allows %d ms", (query, ms) => {
  expect(requestTimeoutMs(new URLSearchParams(query), 60_000)).toBe(ms);
});

test("what is no duration is refused", () => {
  const message = 'invalid timeout specified in the request URL - time: invalid duration "bad"';
  expect(() => requestTimeoutMs(new URLSearchParams("timeout=bad"), 60_000)).toThrow(message);
});

test.each([
  ["/api/v1/pods?watch=1", true],
  ["/api/v1/namespaces/a/pods/p/log", true],
  ["/api/v1/namespaces/a/pods/p", false],
  ["/healthz", false],
  ["/debug/pprof/profile?seconds=90", true],
  ["/debug/pprof", false],
])("%s is long-running: %s", (url, want) => {
  const [path = "", query = ""] = url.split("?");
  expect(isLongRunning(resolveRequestInfo("GET", path, new URLSearchParams(query)))).toBe(want);
});
