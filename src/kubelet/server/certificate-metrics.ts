import type { Metric } from "./metric.ts";

/** A certificate that is kept valid. */
export interface KeptCertificate {
  /** When it ends, in milliseconds since the epoch; undefined without one. */
  expiresAtMs(): number | undefined;
  /** Renewals that failed. */
  readonly failures: number;
}

/** How long a kubelet's certificates are still valid, and how often they could not be renewed (upstream's `pkg/kubelet/certificate`). */
export function certificateMetrics(
  { client, server }: { readonly client?: KeptCertificate | undefined; readonly server?: KeptCertificate | undefined },
  nowMs: number,
): readonly Metric[] {
  const secondsLeft = (kept: KeptCertificate | undefined): number =>
    Math.trunc(((kept?.expiresAtMs() ?? Number.POSITIVE_INFINITY) - nowMs) / 1000);
  const unused = "The value is in seconds until certificate expiry (negative if already expired). If";
  const metric = (name: string, type: Metric["type"], help: string, value: number): Metric => ({
    name: `kubelet_${name}`,
    help: `[ALPHA] ${help}`,
    type,
    samples: [{ value }],
  });
  const failures = "Counter of certificate renewal errors.";
  return [
    metric(
      "certificate_manager_client_ttl_seconds",
      "gauge",
      `Gauge of the TTL (time-to-live) of the Kubelet's client certificate. ${unused} client certificate is invalid or unused, the value will be +INF.`,
      secondsLeft(client),
    ),
    metric(
      "certificate_manager_server_ttl_seconds",
      "gauge",
      `Gauge of the shortest TTL (time-to-live) of the Kubelet's serving certificate. ${unused} serving certificate is invalid or unused, the value will be +INF.`,
      secondsLeft(server),
    ),
    metric("certificate_manager_client_expiration_renew_errors", "counter", failures, client?.failures ?? 0),
    metric("server_expiration_renew_errors", "counter", failures, server?.failures ?? 0),
  ];
}
