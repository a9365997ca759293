import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ManualClock } from "#base/manual-clock.ts";
import { clientOf } from "./api-client.ts";

const dir = mkdtempSync(join(tmpdir(), "kybern-token-"));
const shown: (string | undefined)[] = [];
const server = createServer((request, response) => {
  shown.push(request.headers.authorization);
  response.setHeader("content-type", "application/json");
  response.end('{"items":[]}');
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

test("a token out of a file is shown as the file says it, a minute later at the latest", async () => {
  const tokenFile = join(dir, "token");
  writeFileSync(tokenFile, "second\n");
  const clock = new ManualClock(0);
  const { port } = server.address() as AddressInfo;
  const client = clientOf({ server: `http://127.0.0.1:${port}`, token: "first", tokenFile }, "kube-proxy", clock);
  const ask = async (): Promise<string | undefined> => {
    await client.list({ group: "", version: "v1", resource: "pods" }, "");
    return shown.at(-1);
  };
  expect(await ask()).toBe("Bearer first");
  clock.advance(60_000);
  await expect.poll(ask).toBe("Bearer second");
  rmSync(tokenFile);
  clock.advance(60_000);
  expect(await ask()).toBe("Bearer second");
  client.close();
});
