import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HTTPGetAction } from "#api/generated/core/v1.ts";
import { realClock } from "#base/clock.ts";
import type { ActionTarget } from "./handlers.ts";
import { getForHook, getForProbe } from "./http-get.ts";

let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer(({ url = "", headers }, response) => {
    const [, code = "", rest = ""] = /^\/(\d+)(.*)$/.exec(url) ?? [];
    if (url === "/slow") return;
    if (url === "/headers") response.writeHead(headers["x-own"] === "yes" && headers.accept === "*/*" ? 200 : 400).end();
    else response.writeHead(Number(code), code.startsWith("3") ? { location: rest } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const target = (): ActionTarget =>
  ({ ip: "127.0.0.1", container: { name: "c", ports: [{ name: "web", containerPort: port }] } }) as unknown as ActionTarget;
const action = (path: string, more: Partial<HTTPGetAction> = {}): HTTPGetAction =>
  ({ path, port: "web", ...more }) as HTTPGetAction;

const cases: readonly (readonly [string, boolean, string | RegExp])[] = [
  ["/200", true, ""],
  ["/399", true, "Probe terminated redirects, Response body: "],
  ["/400", false, "HTTP probe failed with statuscode: 400"],
  ["/503", false, "HTTP probe failed with statuscode: 503"],
  ["/302/500", false, "HTTP probe failed with statuscode: 500"],
  ["/301/302/204", true, ""],
  ["/302http://elsewhere.invalid/", true, "Probe terminated redirects, Response body: "],
  ["/headers", false, "HTTP probe failed with statuscode: 400"],
];

test.each(cases)("a probe of %s: %s", async (path, succeeded, message) => {
  expect(await getForProbe(action(path), target(), 1, realClock)).toEqual({
    succeeded,
    message,
    ...(message.toString().startsWith("Probe terminated") && { isWarning: true }),
  });
});

test("headers of its own are sent, and an answer in time is wanted", async () => {
  const own = action("/headers", { httpHeaders: [{ name: "X-Own", value: "yes" }] });
  expect(await getForProbe(own, target(), 1, realClock)).toMatchObject({ succeeded: true });
  const late = await getForProbe(action("/slow"), target(), 0.05, realClock);
  expect(late).toEqual({
    succeeded: false,
    message: `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  });
});

test("nobody there is a failure in Go's words; a hook takes any answer", async () => {
  const refused = await getForProbe(action("/", { port: 1 }), target(), 1, realClock);
  expect(refused.message).toBe('Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused');
  expect(await getForHook(action("/500"), target(), realClock)).toMatchObject({ succeeded: true });
});
