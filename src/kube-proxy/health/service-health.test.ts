import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type { EventRecorder } from "#client/event-recorder.ts";
import { silentLogger } from "#component-base/logging.ts";
import { openPort } from "./http-ports.ts";
import { ServiceHealth } from "./service-health.ts";

test("a port that cannot be had is told of, and tried again", async () => {
  const events: unknown[][] = [];
  const recorder = { event: (...args: unknown[]) => void events.push(args), flush: async () => {} } as unknown as EventRecorder;
  const health = new ServiceHealth({ nodeName: "n", logger: silentLogger, recorder, isProxyHealthy: () => true });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const services = new Map([["ns/svc", { namespace: "ns", name: "svc", port, localEndpoints: 1 }]]);
  await health.sync(services, ["127.0.0.1"]);
  expect(events).toMatchObject([
    [
      { kind: "Service", namespace: "ns", name: "svc" },
      "Warning",
      "FailedToStartServiceHealthcheck",
      expect.stringMatching(/^node n failed to start healthcheck "ns\/svc" on port \d+: listen EADDRINUSE/),
      { action: "Listen" },
    ],
  ]);
  await new Promise((resolve) => other.close(resolve));
  await health.sync(services, ["127.0.0.1"]);
  expect(events).toHaveLength(1);
  // It is taken now.
  await expect(openPort("127.0.0.1", port, () => ({ status: 200, headers: {}, body: "" }))).rejects.toThrow("EADDRINUSE");
  await health.close();
  await (await openPort("127.0.0.1", port, () => ({ status: 200, headers: {}, body: "" }))).close();
});
