import type { Endpoints } from "#api/generated/core/v1.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import type { Logger } from "#component-base/logging.ts";
import type { KVStore } from "#storage/kv.ts";
import { kubernetesEndpointSlice, kubernetesEndpoints } from "../bootstrap/kubernetes-service.ts";
import { ensureEqual } from "../bootstrap/reconcile.ts";
import { addedToCount } from "./count.ts";
import { MasterLeases } from "./master-leases.ts";

/** Upstream's `--endpoint-reconciler-type`. */
export const ENDPOINT_RECONCILER_TYPES = ["lease", "master-count", "none"] as const;

/** One of {@link ENDPOINT_RECONCILER_TYPES}. */
export type EndpointReconcilerType = (typeof ENDPOINT_RECONCILER_TYPES)[number];

/** Upstream's `DefaultEndpointReconcilerInterval`. */
const INTERVAL_MS = 10_000;
/** Longest time that a server which stops waits for its address to be taken out. */
const REMOVE_TIMEOUT_MS = 2_000;

/** What {@link EndpointReconciler} works with. */
export interface EndpointReconcilerOptions {
  readonly type: EndpointReconcilerType;
  /** `--apiserver-count`: how many addresses `master-count` leaves. */
  readonly count: number;
  /** Unencrypted: what is written here, upstream's servers read. */
  readonly kv: KVStore;
  readonly stores: Stores;
  readonly context: RequestContext;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ip: string;
  readonly port: number;
}

/** Keeps this server's address, and those of all others that live, in Endpoints and EndpointSlice of `default/kubernetes`. */
export class EndpointReconciler {
  readonly #options: EndpointReconcilerOptions;
  readonly #leases: MasterLeases;
  readonly #ending = new AbortController();
  /** One look at a time. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: EndpointReconcilerOptions) {
    this.#options = options;
    this.#leases = new MasterLeases(options.kv);
  }

  /** Enters this server, and goes on doing so until {@link stop}. As upstream a failure is logged and keeps nobody waiting. */
  async start(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#ending;
    await this.#enqueue(() => this.#reconcile(true)).catch((error: unknown) =>
      logger.error({ err: error }, "this server could not be entered in the endpoints of default/kubernetes"),
    );
    const repeat = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(INTERVAL_MS, signal);
        await this.#enqueue(() => this.#reconcile(false)).catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error }, "the endpoints of default/kubernetes could not be looked after");
        });
      }
    };
    // Sleeping fails when it is over.
    repeat().catch(() => undefined);
  }

  /** Takes this server out. Never rejects: who is gone is forgotten after a while. */
  async stop(): Promise<void> {
    const { type, clock, logger, ip } = this.#options;
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    if (type === "none") return;
    const removed = this.#enqueue(async () => {
      if (type === "lease") await this.#leases.remove(ip);
      await this.#write(type === "lease" ? await this.#leases.list() : this.#present().filter((other) => other !== ip), true);
    }).catch((error: unknown) => logger.debug({ err: error }, "this server stays in the endpoints of default/kubernetes"));
    const timeout = new AbortController();
    const late = clock.sleep(REMOVE_TIMEOUT_MS, timeout.signal).catch(() => undefined);
    await Promise.race([removed, late]);
    timeout.abort();
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(work);
    return this.#last;
  }

  async #reconcile(withPort: boolean): Promise<void> {
    const { type, ip, count } = this.#options;
    if (type === "none") return;
    if (type === "master-count") return this.#write(addedToCount(this.#present(), ip, count), withPort);
    await this.#leases.renew(ip);
    await this.#write(await this.#leases.list(), withPort);
  }

  #endpoints(): Endpoints | undefined {
    return this.#options.stores.of<Endpoints>("", "endpoints").cached("default", "kubernetes");
  }

  #present(): readonly string[] {
    return this.#endpoints()?.subsets?.[0]?.addresses?.map(({ ip }) => ip) ?? [];
  }

  async #write(ips: readonly string[], withPort: boolean): Promise<void> {
    // The last of all leaves its address, as upstream: clients that come later are told where to knock.
    if (ips.length === 0) return;
    const { stores, context, port: own } = this.#options;
    const port = withPort ? own : (this.#endpoints()?.subsets?.[0]?.ports?.[0]?.port ?? own);
    await ensureEqual(stores, "", "endpoints", kubernetesEndpoints(ips, port), ["subsets"], context);
    await ensureEqual(
      stores,
      "discovery.k8s.io",
      "endpointslices",
      kubernetesEndpointSlice(ips, port),
      ["endpoints", "ports"],
      context,
    );
  }
}
