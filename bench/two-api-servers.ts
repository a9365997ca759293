// Two API servers in one process: one that asks nobody who they are and lets everybody do everything, and one with the
// token file and the webhook that it is told of. They share code, compiler and heap, so that what one of them costs more is
// its settings'; two processes of the same settings differ by several percent.
import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import { silentLogger } from "#component-base/logging.ts";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "#envtest/control-plane.ts";
import { ensureClusterAssets } from "#pki/cluster-assets.ts";
import { MemoryStore } from "#storage/memory/memory-store.ts";

const SERVICE_RANGE = "10.96.0.0/12";
const [tokenAuthFile = "", webhook = ""] = process.argv.slice(2);
const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange: SERVICE_RANGE });

function start(settings: Pick<ControlPlaneOptions, "authentication" | "authorization">): Promise<ControlPlane> {
  return startControlPlane({
    kv: new MemoryStore({ clock: realClock }),
    clock: realClock,
    random: systemRandom,
    logger: silentLogger,
    assets,
    bindAddress: "127.0.0.1",
    port: 0,
    serviceClusterIpRange: SERVICE_RANGE,
    components: [],
    nodes: 0,
    ...settings,
  });
}

const tokenWebhook = { configFile: webhook, version: "v1", cacheTtlMs: 30 * 60 * 1000 } as const;
const planes = await Promise.all([
  start({ authentication: { anonymousAuth: true }, authorization: { modes: ["AlwaysAllow"] } }),
  start({ authentication: { tokenAuthFile, tokenWebhook }, authorization: { modes: ["Node", "RBAC"] } }),
]);
const ports = planes.map(({ apiServer }) => apiServer.port);
process.stdout.write(`${JSON.stringify({ ports, ca: assets.ca.cert, cert: assets.admin.cert, key: assets.admin.key })}\n`);
process.once("SIGTERM", () => void Promise.all(planes.map((plane) => plane.stop())).then(() => process.exit(0)));
