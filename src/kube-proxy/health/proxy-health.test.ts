import { expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { ProxyHealth } from "./proxy-health.ts";
import { checkBody } from "./service-health.ts";

test("a proxy is well while changes get into place in time", () => {
  const clock = new ManualClock(1_000_000);
  const health = new ProxyHealth(clock, 60_000);
  expect(health.report()).toMatchObject({ healthy: true, status: {} });
  health.updated("IPv4");
  health.updated("IPv6");
  clock.advance(3_600_000);
  // Nothing to do is no fault.
  expect(health.report()).toMatchObject({ healthy: true, lastUpdated: "1970-01-01T01:16:40.000Z" });
  health.queued("IPv4");
  clock.advance(30_000);
  // What waits longest counts.
  health.queued("IPv4");
  clock.advance(29_999);
  expect(health.report().healthy).toBe(true);
  clock.advance(1);
  expect(health.report(true)).toEqual({
    lastUpdated: "1970-01-01T00:16:40.000Z",
    currentTime: "1970-01-01T01:17:40.000Z",
    nodeEligible: true,
    healthy: false,
    status: {
      IPv4: { lastUpdated: "1970-01-01T00:16:40.000Z", healthy: false },
      IPv6: { lastUpdated: "1970-01-01T00:16:40.000Z", healthy: true },
    },
  });
  health.updated("IPv4");
  expect(health.report().healthy).toBe(true);
});

test("a health check's body is upstream's", () => {
  expect(checkBody({ namespace: "ns", name: "svc" }, 2, true)).toBe(
    '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "svc"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
  );
});
