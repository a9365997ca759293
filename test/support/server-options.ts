import { realClock } from "#base/clock.ts";
import { systemRandom } from "#base/random.ts";
import type { KubeApiServerOptions } from "#kube-apiserver/server-options.ts";
import { type ClusterAssets, ensureClusterAssets } from "#pki/cluster-assets.ts";
import type { KVStore } from "#storage/kv.ts";

/** Where Services get addresses. */
const SERVICE_RANGE = "10.96.0.0/12";

/** What an API server alone needs: a port of its own on loopback, and certificates of a new authority. */
export async function serverOptions(kv: KVStore): Promise<KubeApiServerOptions & { readonly assets: ClusterAssets }> {
  const serviceClusterIpRange = SERVICE_RANGE;
  const assets = await ensureClusterAssets({ clock: realClock, hosts: ["127.0.0.1"], serviceClusterIpRange });
  return { kv, clock: realClock, random: systemRandom, assets, bindAddress: "127.0.0.1", port: 0, serviceClusterIpRange };
}
