import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Lease } from "#api/generated/coordination/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatMicroTime, parseTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { Logger } from "#component-base/logging.ts";

const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
const NAMESPACE = "kube-system";
const IDENTITY = "apiserver.kubernetes.io/identity";
/** Upstream's `IdentityLeaseDurationSeconds`, `IdentityLeaseRenewIntervalPeriod` and `IdentityLeaseGCPeriod`. */
const DURATION_SECONDS = 3600;
const RENEW_MS = 10_000;
const COLLECT_MS = 3_600_000;

/** What {@link keepIdentityLease} works with. */
export interface IdentityLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Default: this machine's. */
  readonly host?: string;
}

/** `apiserver-` and 26 letters and digits of base 32, which tell one machine from another (`pkg/server/config.go`). */
export function apiServerIdentity(host: string): string {
  return `apiserver-${base32(createHash("sha256").update(host).digest().subarray(0, 16))}`;
}

/** Shows by a Lease in `kube-system` that this server lives (KEP-1965), and takes those away that have run out, until the signal. */
export function keepIdentityLease(options: IdentityLeaseOptions): void {
  const { client, clock, random, logger, signal, host = hostname() } = options;
  const name = apiServerIdentity(host);
  const holderIdentity = `${name}_${random.uuid()}`;
  const renew = async (): Promise<void> => {
    const spec = { holderIdentity, leaseDurationSeconds: DURATION_SECONDS, renewTime: formatMicroTime(clock.now()) };
    const labels = { [IDENTITY]: "kube-apiserver", "kubernetes.io/hostname": host };
    try {
      const present = await client.get<Lease>(LEASES, NAMESPACE, name);
      const metadata = { ...present.metadata, labels: { ...present.metadata.labels, ...labels } };
      await client.update<Lease>(LEASES, NAMESPACE, name, { ...present, metadata, spec: { ...present.spec, ...spec } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const lease = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name, namespace: NAMESPACE, labels },
        spec,
      };
      await client.create<Lease>(LEASES, NAMESPACE, lease as Lease).catch((made: unknown) => {
        if (!isAlreadyExists(made)) throw made;
      });
    }
  };
  const collect = async (): Promise<void> => {
    const { items } = await client.list<Lease>(LEASES, NAMESPACE, { labelSelector: `${IDENTITY}=kube-apiserver` });
    for (const { metadata } of items.filter((lease) => hasEnded(lease, clock.now()))) {
      await client.delete(LEASES, NAMESPACE, metadata.name ?? "", {
        preconditions: { resourceVersion: metadata.resourceVersion ?? "" },
      });
    }
  };
  const every = async (periodMs: number, what: string, work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ err: error }, what);
      });
      await clock.sleep(periodMs, signal);
    }
  };
  // Sleeping fails when it is over.
  every(RENEW_MS, "the Lease of this server's identity could not be renewed", renew).catch(() => undefined);
  every(COLLECT_MS, "Leases of servers that are gone could not be taken away", collect).catch(() => undefined);
}

/** A Lease without an end or a holder is left alone by nobody: upstream takes it for ended too. */
function hasEnded({ spec }: Lease, now: number): boolean {
  const renewedAt = parseTime(spec?.renewTime ?? undefined);
  return renewedAt === undefined || renewedAt + (spec?.leaseDurationSeconds ?? 0) * 1000 < now;
}

/** RFC 4648 without padding, in small letters. */
function base32(bytes: Uint8Array): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  let [text, bits, held] = ["", 0, 0];
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet[(held << (5 - bits)) & 31];
}
