import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { ElectionSettings } from "#client/lease-candidate.ts";
import type { FlagSet, FlagSpec, ParsedFlags } from "#component-base/flags.ts";
import { servingCertificateFlags } from "../serving-certificate.ts";
import { durationMs, file, list, port, text, toggle } from "./flag-specs.ts";
import { type FormerFlags, formerFlagSpecs } from "./former-flags.ts";
import { logFlags } from "./log-flags.ts";

/** Flags of controller manager and scheduler that are taken, and what they come to. */
export const formerComponentFlags: FormerFlags = {
  "kube-api-qps": { type: "string", says: "requests are held up by the API server's own fairness, not here" },
  "kube-api-burst": { type: "int", says: "requests are held up by the API server's own fairness, not here" },
  "kube-api-content-type": { type: "string", says: "objects are sent and read as JSON" },
  "contention-profiling": { type: "bool", says: "there are no locks to profile" },
  "leader-elect-resource-lock": { type: "string", says: "leaders are elected by Leases, whatever is named" },
  "authorization-webhook-cache-authorized-ttl": { type: "string", says: "the API server is asked for every request" },
  "authorization-webhook-cache-unauthorized-ttl": { type: "string", says: "the API server is asked for every request" },
  "authentication-token-webhook-cache-ttl": { type: "string", says: "the API server is asked for every request" },
  logtostderr: { type: "bool", says: "the log goes to standard error" },
};

type OwnFlagTypes = {
  readonly kubeconfig: "string";
  readonly master: "string";
  readonly "bind-address": "string";
  readonly "secure-port": "int";
  readonly address: "string";
  readonly port: "int";
  readonly profiling: "bool";
  readonly "client-ca-file": "string";
  readonly "authentication-kubeconfig": "string";
  readonly "authentication-skip-lookup": "bool";
  readonly "authentication-tolerate-lookup-failure": "bool";
  readonly "authorization-kubeconfig": "string";
  readonly "authorization-always-allow-paths": "strings";
  readonly "leader-elect": "bool";
  readonly "leader-elect-lease-duration": "string";
  readonly "leader-elect-renew-deadline": "string";
  readonly "leader-elect-retry-period": "string";
  readonly "leader-elect-resource-name": "string";
  readonly "leader-elect-resource-namespace": "string";
  readonly "feature-gates": "strings";
};

const ownFlags: { readonly [N in keyof OwnFlagTypes]: FlagSpec<OwnFlagTypes[N]> } = {
  kubeconfig: file("How the API server is reached."),
  master: text("URL", "Where it is, in place of what the kubeconfig says; http without authentication."),
  "bind-address": text("IP", "Address of health, metrics and configuration.", "0.0.0.0"),
  "secure-port": port("Port of them, with TLS; 0 for none.", 0),
  address: text("IP", "Address of the port without TLS; the flag of former years.", "127.0.0.1"),
  port: port("That port, 0 for none; the usual one where --address or the name hyperkube asks for it.", 0),
  profiling: toggle("Serve profiles at /debug/pprof/.", true),
  "client-ca-file": file("Authorities of client certificates; those that the cluster publishes when empty."),
  "authentication-kubeconfig": file("How the API server is asked whose a token is; nobody's when empty."),
  "authentication-skip-lookup": toggle("Do not ask the cluster for authorities of client certificates."),
  "authentication-tolerate-lookup-failure": toggle("Go on without them when it cannot be asked."),
  "authorization-kubeconfig": file("How it is asked who may see what; nobody when empty."),
  "authorization-always-allow-paths": list("PATHS", "What everybody may see.", ["/healthz", "/readyz", "/livez"]),
  "leader-elect": toggle("Work only while holding a Lease.", true),
  "leader-elect-lease-duration": text("DURATION", "How long others wait for a leader that is silent.", "15s"),
  "leader-elect-renew-deadline": text("DURATION", "How long a leader tries to renew before it steps down.", "10s"),
  "leader-elect-retry-period": text("DURATION", "Between tries.", "2s"),
  "leader-elect-resource-name": text("NAME", "Name of the Lease."),
  "leader-elect-resource-namespace": text("NAME", "Its namespace.", "kube-system"),
  "feature-gates": list("PAIRS", "Name=true|false; what is there is on in any case."),
};

/** The flags that controller manager and scheduler share, as upstream's. */
export const componentFlags: typeof ownFlags & typeof servingCertificateFlags & typeof logFlags & FlagSet = {
  ...ownFlags,
  ...servingCertificateFlags,
  ...formerFlagSpecs(formerComponentFlags),
  ...logFlags,
};

/** What {@link componentFlags} say. */
export type ComponentFlags = ParsedFlags<typeof ownFlags & typeof servingCertificateFlags & typeof logFlags>;

/** How a program stands for election, and as whom. */
export function electionOf(flags: ComponentFlags): { readonly identity: string; readonly election: ElectionSettings } {
  const election: ElectionSettings = {
    lease: { namespace: flags["leader-elect-resource-namespace"], name: flags["leader-elect-resource-name"] },
    leaseDurationMs: durationMs("leader-elect-lease-duration", flags["leader-elect-lease-duration"]),
    renewDeadlineMs: durationMs("leader-elect-renew-deadline", flags["leader-elect-renew-deadline"]),
    retryPeriodMs: durationMs("leader-elect-retry-period", flags["leader-elect-retry-period"]),
  };
  return { identity: `${hostname()}_${randomUUID()}`, election };
}

/** What the flags of election say, in the form of upstream's `/configz`. */
export function shownElection(flags: ComponentFlags): Readonly<Record<string, unknown>> {
  return {
    leaderElect: flags["leader-elect"],
    leaseDuration: flags["leader-elect-lease-duration"],
    renewDeadline: flags["leader-elect-renew-deadline"],
    retryPeriod: flags["leader-elect-retry-period"],
    resourceLock: "leases",
    resourceName: flags["leader-elect-resource-name"],
    resourceNamespace: flags["leader-elect-resource-namespace"],
  };
}
