import type { APIService } from "#api/generated/apiregistration/v1.ts";
import type { Service } from "#api/generated/core/v1.ts";
import type { EndpointSlice } from "#api/generated/discovery/v1.ts";
import { isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { type SharedInformer, SharedInformerFactory } from "#client/informer.ts";
import { RateLimitingQueue } from "#client/work-queue.ts";
import type { Logger } from "#component-base/logging.ts";
import { LOCAL, PASSED, type Verdict, verdictOfService, withVerdict } from "./availability.ts";

const API_SERVICES: ResourceId = { group: "apiregistration.k8s.io", version: "v1", resource: "apiservices" };
const SERVICES: ResourceId = { group: "", version: "v1", resource: "services" };
const SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
const SERVICE_NAME = "kubernetes.io/service-name";
/** How often a server that nothing was heard of is asked again: networks fail without telling, in milliseconds. */
const RESYNC_MS = 30_000;
const RETRY = { baseMs: 5, maxMs: 30_000 };

export interface AvailabilityOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Asks the server behind an APIService; the text of the failure, or undefined. */
  readonly probe: (apiService: APIService) => Promise<string | undefined>;
}

/** Keeps the `Available` condition of every APIService true. Ends with the signal. */
export function keepAvailability(options: AvailabilityOptions): void {
  new AvailabilityController(options).run();
}

class AvailabilityController {
  readonly #options: AvailabilityOptions;
  readonly #queue: RateLimitingQueue;
  readonly #informers: SharedInformerFactory;
  readonly #apiServices: SharedInformer<APIService>;
  /** Followed when an APIService first needs them: most clusters have none that does. */
  #services: SharedInformer<Service> | undefined;
  #slices: SharedInformer<EndpointSlice> | undefined;

  constructor(options: AvailabilityOptions) {
    const { client, clock } = options;
    this.#options = options;
    this.#queue = new RateLimitingQueue({ clock, limits: RETRY });
    this.#informers = new SharedInformerFactory({ client, clock });
    this.#apiServices = this.#informers.informer<APIService>(API_SERVICES);
  }

  run(): void {
    const { signal } = this.#options;
    const add = ({ metadata }: APIService): void => this.#queue.add(metadata.name ?? "");
    this.#apiServices.addHandler({ onAdd: add, onUpdate: (_old, object) => add(object) });
    this.#informers.start(signal);
    signal.addEventListener("abort", () => this.#queue.shutDown(), { once: true });
    void this.#work();
  }

  async #work(): Promise<void> {
    for (let name = await this.#queue.get(); name !== undefined; name = await this.#queue.get()) {
      const key = name;
      void this.#sync(key)
        .catch((error: unknown) => {
          noteDefect("the availability of APIServices", error);
          if (this.#options.signal.aborted || isNotFound(error)) return;
          if (!isConflict(error)) this.#options.logger.warn({ err: error, apiService: key }, "availability not written");
          this.#queue.addRateLimited(key);
        })
        .finally(() => this.#queue.done(key));
    }
  }

  async #sync(name: string): Promise<void> {
    const apiService = this.#apiServices.lister.get("", name);
    if (apiService === undefined) return;
    const verdict = apiService.spec.service === undefined ? LOCAL : await this.#judge(apiService);
    if (this.#options.signal.aborted) return;
    await this.#write(apiService, verdict);
    if (apiService.spec.service === undefined) return;
    if (verdict.reason === "FailedDiscoveryCheck") this.#queue.addRateLimited(name);
    else {
      this.#queue.forget(name);
      this.#queue.addAfter(name, RESYNC_MS);
    }
  }

  async #judge(apiService: APIService): Promise<Verdict> {
    const { services, slices } = await this.#follow();
    const { namespace = "", name = "" } = apiService.spec.service ?? {};
    const state = {
      service: services.lister.get(namespace, name),
      slices: slices.lister.list(namespace).filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name),
    };
    const known = verdictOfService(apiService, state);
    if (known !== undefined) return known;
    const failure = await this.#options.probe(apiService);
    return failure === undefined ? PASSED : { status: "False", reason: "FailedDiscoveryCheck", message: failure };
  }

  async #follow(): Promise<{ services: SharedInformer<Service>; slices: SharedInformer<EndpointSlice> }> {
    const services = this.#services ?? this.#informers.informer<Service>(SERVICES);
    const slices = this.#slices ?? this.#informers.informer<EndpointSlice>(SLICES);
    if (this.#services === undefined) {
      this.#services = services;
      this.#slices = slices;
      const onService = ({ metadata }: Service): void => this.#addUsersOf(metadata.namespace, metadata.name);
      const onSlice = ({ metadata }: EndpointSlice): void =>
        this.#addUsersOf(metadata.namespace, metadata.labels?.[SERVICE_NAME]);
      services.addHandler({ onAdd: onService, onUpdate: (_old, object) => onService(object), onDelete: onService });
      slices.addHandler({ onAdd: onSlice, onUpdate: (_old, object) => onSlice(object), onDelete: onSlice });
      this.#informers.start(this.#options.signal);
    }
    await this.#informers.waitForSync();
    return { services, slices };
  }

  #addUsersOf(namespace: string | undefined, name: string | undefined): void {
    for (const { metadata, spec } of this.#apiServices.lister.list()) {
      if (spec.service?.namespace === namespace && spec.service?.name === name) this.#queue.add(metadata.name ?? "");
    }
  }

  async #write(apiService: APIService, verdict: Verdict): Promise<void> {
    const { client, clock } = this.#options;
    const old = apiService.status?.conditions;
    const conditions = withVerdict(old, verdict, formatTime(clock.now()));
    if (conditions === old) return;
    const changed = { ...apiService, status: { ...apiService.status, conditions } };
    await client.update(API_SERVICES, "", apiService.metadata.name ?? "", changed, { subresource: "status" });
  }
}
