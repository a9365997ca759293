import type { KeyObject } from "node:crypto";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import type { SharedInformer, SharedInformerFactory } from "#client/informer.ts";

/** What every controller is given. */
export interface ControllerContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** Shared by all controllers: one mirror per resource. */
  readonly informers: SharedInformerFactory;
  /** Events under this controller's name. */
  readonly recorder: EventRecorder;
  readonly options: ControllerOptions;
  /** Ends with the controller manager. */
  readonly signal: AbortSignal;
}

/** What tokens are signed with. */
export interface TokenSigningKey {
  readonly privateKey: KeyObject;
  /** Tells the verifier which key it is. */
  readonly keyId: string;
}

/** A certificate to be signed by the cluster's authority. Byte arrays are DER; times are milliseconds since the Unix epoch. */
export interface ClusterSigningRequest {
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly subjectAltName: Uint8Array | undefined;
  /** Kubernetes' names of key usages. */
  readonly usages: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Settings of single controllers; named after upstream's flags. Durations in milliseconds. */
export interface ControllerOptions {
  /** PEM of the certificate authority that `kube-root-ca.crt` publishes; that controller is off without it. */
  readonly rootCa?: string;
  /** Signs the tokens in Secrets; asked for when the first one is needed. That controller is off without it. */
  readonly serviceAccountSigningKey?: () => Promise<TokenSigningKey>;
  /** Signs with `--cluster-signing-cert-file`, and answers PEM; certificates are approved but not signed without it. */
  readonly clusterSigner?: (request: ClusterSigningRequest) => string;
  /** The longest life of a signed certificate; upstream's `--cluster-signing-duration`. One year when absent. */
  readonly clusterSigningDurationMs?: number;
  /** A node that did not renew its Lease for this long is not ready. 50 s when absent. */
  readonly nodeMonitorGracePeriodMs?: number;
  /** As above for a node that never reported. 60 s when absent. */
  readonly nodeStartupGracePeriodMs?: number;
  /** Between looks at all nodes. 5 s when absent. */
  readonly nodeMonitorPeriodMs?: number;
  /** Where nodes get their pods' addresses from; upstream's `--allocate-node-cidrs`. Nodes are left alone when absent. */
  readonly nodeCidrs?: {
    /** One network, or one of each family, and the bits of a node's part. */
    readonly clusterCidrs: readonly { readonly cidr: string; readonly maskSize: number }[];
    /** Left out. */
    readonly serviceRanges?: readonly string[];
  };
  /** Terminated pods beyond this number are removed. 12,500 when absent. */
  readonly terminatedPodGcThreshold?: number;
}

/** What happened to an object that a controller watches. */
export interface Change<T> {
  readonly type: "add" | "update" | "delete";
  /** The state before; for updates only. */
  readonly old?: T;
  /** The state now; for deletes the last one. */
  readonly object: T;
}

/** Maps changes of one resource to keys of the controller's queue. */
export interface Source {
  readonly informer: SharedInformer<object>;
  readonly keys: (change: Change<object>) => Iterable<string | DelayedKey>;
}

/** A key that is looked at later. */
export interface DelayedKey {
  readonly key: string;
  readonly afterMs: number;
}

/** Look at the same key again later, though nothing changes: time passes. */
export interface RequeueAction {
  readonly type: "requeue";
  readonly afterMs: number;
}

/** A controller at work: the loop calls `observe`, `reconcile` and `execute` for one key after the other. */
export interface ControllerInstance<Observed, Action extends { readonly type: string }> {
  readonly sources: readonly Source[];
  /** Further informers that must have their first list before the first key is looked at. */
  readonly alsoAwait?: readonly Pick<SharedInformer<object>, "waitForSync">[];
  /**
   * For controllers that learn of changes by other means than informers: called once, before the first key. Resolves when
   * nothing of what it started runs any more, which must be soon after the context's signal was aborted.
   */
  start?(enqueue: (key: string, afterMs?: number) => void): Promise<void>;
  /** Everything that the decision depends on, or undefined when there is nothing to decide. */
  observe(key: string): Observed | undefined | Promise<Observed | undefined>;
  /** The decision: pure. */
  reconcile(observed: Observed): readonly (Action | RequeueAction)[];
  /** Carries it out, in order. Whatever it throws brings the key back after a while. */
  execute(actions: readonly Action[], observed: Observed): Promise<void>;
}

/** A controller as it is declared in `controllers.ts`. */
export interface ControllerDefinition {
  /** Upstream's name in `--controllers`: `replicaset-controller`. */
  readonly name: string;
  /** The component that its events name; the controller's name when absent. */
  readonly eventSource?: string;
  /** Keys worked on at the same time; 5 when absent. */
  readonly workers?: number;
  create(context: ControllerContext): AnyController | undefined;
}

/** A {@link ControllerInstance} whose types only itself knows. */
export type AnyController = ControllerInstance<never, never>;

/** Hides an instance's types, so that controllers of all kinds stand in one list. */
export function controller<Observed, Action extends { readonly type: string }>(
  instance: ControllerInstance<Observed, Action>,
): AnyController {
  return instance as unknown as AnyController;
}

/** A {@link Source} whose mapping knows the informer's type. */
export function source<T extends object>(
  informer: SharedInformer<T>,
  keys: (change: Change<T>) => Iterable<string | DelayedKey>,
): Source {
  return { informer, keys } as unknown as Source;
}
