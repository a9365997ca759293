import { afterAll, beforeAll, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, startControlPlane } from "#envtest/control-plane.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { asker } from "../support/ask.ts";
import { openTestStore } from "../support/store.ts";

const RANGE = "10.96.0.0/12";
const SECRETS = "/api/v1/namespaces/default/secrets";
/** Together more than a cache remembers of one resource. */
const [LARGE_WRITES, LARGE_BYTES] = [20, 900_000];

const kv = await openTestStore({ alone: true });
let plane: ControlPlane;
let ask: ReturnType<typeof asker>;

beforeAll(async () => {
  const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: RANGE });
  plane = await startControlPlane({
    kv,
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange: RANGE,
    authentication: {},
    nodes: 0,
  });
  const { ca, admin } = assets;
  ask = asker({ url: plane.apiServer.url, credentials: { ca: ca.cert, cert: admin.cert, key: admin.key } });
});
afterAll(async () => {
  await plane?.stop();
  await kv.close();
});

test("a revision that is forgotten is told with a token that goes on without it", async () => {
  for (const name of ["a", "b", "c"]) await ask("POST", SECRETS, { metadata: { name } });
  const first = await ask("GET", `${SECRETS}?limit=1`);
  expect(first.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(["a"]);
  const { continue: token, resourceVersion } = first.body.metadata;
  for (let i = 0; i < LARGE_WRITES; i++) {
    const large = Buffer.alloc(LARGE_BYTES, i).toString("base64").slice(0, LARGE_BYTES);
    expect((await ask("PATCH", `${SECRETS}/c`, { data: { large } })).status).toBe(200);
  }
  const goesOn = await ask("GET", `${SECRETS}?limit=1&continue=${token}`);
  expect(goesOn.status, "the store still knows it").toBe(200);

  await kv.compact(await kv.currentRevision());
  const exact = await ask("GET", `${SECRETS}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`);
  expect(exact.body).toMatchObject({ kind: "Status", code: 410, reason: "Expired" });
  const refused = await ask("GET", `${SECRETS}?limit=1&continue=${token}`);
  expect(refused.body).toMatchObject({ code: 410, reason: "Expired", metadata: { continue: expect.stringMatching(/.+/) } });
  expect(refused.body.message).toContain("The provided continue parameter is too old to display a consistent list result");

  await ask("POST", SECRETS, { metadata: { name: "ab" } });
  const rest = await ask("GET", `${SECRETS}?continue=${refused.body.metadata.continue}`);
  expect(rest.status).toBe(200);
  const names = rest.body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
  expect(names, "from where the list stopped, as things are now").toEqual(["ab", "b", "c"]);
  expect(Number(rest.body.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
});
