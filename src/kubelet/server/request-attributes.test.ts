import { expect, test } from "vitest";
import { requestAttributes } from "./request-attributes.ts";

test.each([
  ["GET", "/pods", "get", ["pods", "proxy"]],
  ["GET", "/runningpods/", "get", ["pods", "proxy"]],
  ["GET", "/healthz/syncloop", "get", ["healthz", "proxy"]],
  ["GET", "/healthzz", "get", ["proxy"]],
  ["GET", "/configz", "get", ["configz", "proxy"]],
  ["GET", "/stats/summary", "get", ["stats"]],
  ["POST", "/stats/summary", "create", ["stats"]],
  ["GET", "/metrics", "get", ["metrics"]],
  ["GET", "/metrics/cadvisor", "get", ["metrics"]],
  ["GET", "/logs/kern.log", "get", ["log"]],
  ["POST", "/exec/ns/p/c", "create", ["proxy"]],
  ["GET", "/containerLogs/ns/p/c", "get", ["proxy"]],
  ["DELETE", "/pods", "delete", ["pods", "proxy"]],
])("%s %s", (method, path, verb, subresources) => {
  expect(requestAttributes(method, path)).toEqual({ verb, subresources });
});
