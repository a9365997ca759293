import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import type { APIService } from "#api/generated/apiregistration/v1.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import { RateLimitingQueue } from "#client/work-queue.ts";
import type { Logger } from "#component-base/logging.ts";

const API_SERVICES: ResourceId = { group: "apiregistration.k8s.io", version: "v1", resource: "apiservices" };
const DEFINITIONS: ResourceId = { group: "apiextensions.k8s.io", version: "v1", resource: "customresourcedefinitions" };
/** Says that an APIService follows what is served: those without it belong to somebody else. */
const MANAGED = "kube-aggregator.kubernetes.io/automanaged";
/** Custom resources come after everything built in. */
const GROUP_PRIORITY = 1000;
const VERSION_PRIORITY = 100;

export interface AutoRegistrationOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What is to be done with one APIService. */
export type Registration = "create" | "delete" | "none";

/** Upstream's table of `checkAPIService`: what is served gets an APIService, and loses it unless somebody else made it. */
export function registrationOf(served: boolean, existing: APIService | undefined): Registration {
  if (existing === undefined) return served ? "create" : "none";
  const managed = existing.metadata.labels?.[MANAGED] === "true";
  return !served && managed ? "delete" : "none";
}

/** Definitions by the names of the APIServices for the versions that they serve. */
const SERVING_INDEX = "servingByApiService";

/** Keeps an APIService for every group and version that CustomResourceDefinitions serve. Ends with the signal. */
export function keepCustomApiServices({ client, clock, logger, signal }: AutoRegistrationOptions): void {
  const informers = new SharedInformerFactory({ client, clock });
  const definitions = informers.informer<CustomResourceDefinition>(DEFINITIONS);
  const apiServices = informers.informer<APIService>(API_SERVICES);
  definitions.addIndex(SERVING_INDEX, ({ spec }) =>
    spec.versions.filter(({ served }) => served).map(({ name }) => `${name}.${spec.group}`),
  );
  /** By name of the APIService. */
  const queue = new RateLimitingQueue({ clock });
  const add = ({ spec }: CustomResourceDefinition): void => {
    for (const { name } of spec.versions) queue.add(`${name}.${spec.group}`);
  };
  const addManaged = ({ metadata }: APIService): void => {
    if (metadata.labels?.[MANAGED] === "true") queue.add(metadata.name ?? "");
  };
  const sync = async (name: string): Promise<void> => {
    const dot = name.indexOf(".");
    const [version, group] = [name.slice(0, dot), name.slice(dot + 1)];
    const served = definitions.countByIndex(SERVING_INDEX, name) > 0;
    const what = registrationOf(served, apiServices.lister.get("", name));
    if (what === "create") await client.create(API_SERVICES, "", customApiService(group, version));
    else if (what === "delete") await client.delete(API_SERVICES, "", name);
  };
  const work = async (): Promise<void> => {
    await informers.waitForSync();
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      try {
        await sync(name);
        queue.forget(name);
      } catch (error) {
        noteDefect("the registration of APIServices", error);
        if (!signal.aborted && !isAlreadyExists(error) && !isNotFound(error)) {
          if (!isConflict(error)) logger.warn({ err: error, apiService: name }, "not registered");
          queue.addRateLimited(name);
        }
      }
      queue.done(name);
    }
  };
  definitions.addHandler({
    onAdd: add,
    onUpdate: (old, object) => {
      if (old.metadata.generation === object.metadata.generation) return;
      add(old);
      add(object);
    },
    onDelete: add,
  });
  apiServices.addHandler({ onAdd: addManaged, onUpdate: (_old, object) => addManaged(object), onDelete: addManaged });
  signal.addEventListener("abort", () => queue.shutDown(), { once: true });
  informers.start(signal);
  void work();
}

function customApiService(group: string, version: string): APIService {
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}`, labels: { [MANAGED]: "true" } },
    spec: { group, version, groupPriorityMinimum: GROUP_PRIORITY, versionPriority: VERSION_PRIORITY },
  };
}
