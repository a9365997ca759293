import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { ClusterAssets } from "#pki/cluster-assets.ts";

/** How often the files are looked at. */
const INTERVAL_MS = 60_000;

/** What is kept up to date, and who is told. */
export interface KeptCertificates {
  /** What is in use at first. */
  readonly assets: ClusterAssets;
  /** Reads the files, and makes those anew that are about to end. */
  readonly ensure: () => Promise<ClusterAssets>;
  readonly onChange: (assets: ClusterAssets) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes up certificates that somebody renewed, and renews those that are about to end, for as long as the process runs. */
export function keepCertificates({ assets, ensure, onChange, clock, logger }: KeptCertificates): void {
  let known = fingerprint(assets);
  const look = async (): Promise<void> => {
    try {
      const next = await ensure();
      if (fingerprint(next) === known) return;
      await onChange(next);
      known = fingerprint(next);
      logger.info({}, "the cluster's certificates are new, and in use");
    } catch (error) {
      logger.error({ err: error }, "the cluster's certificates cannot be read; those in use stay so");
    }
  };
  clock.setInterval(() => void look(), INTERVAL_MS, { unref: true });
}

function fingerprint({ ca, frontProxyCa, apiserver, admin }: ClusterAssets): string {
  return [ca, frontProxyCa, apiserver, admin].map(({ cert }) => cert).join("");
}
