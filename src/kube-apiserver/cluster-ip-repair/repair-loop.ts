import type { Service } from "#api/generated/core/v1.ts";
import type { IPAddress, ServiceCIDR } from "#api/generated/networking/v1.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import type { Logger } from "#component-base/logging.ts";
import { addressObject } from "../registry/core/service/allocation/address-object.ts";
import { type Repair, repairsOf } from "./repairs.ts";

const ADDRESSES: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "ipaddresses" };
/** Between two looks; upstream's `RepairServicesInterval`. */
const INTERVAL_MS = 3 * 60 * 1000;

/** What {@link repairClusterIps} works with. */
export interface ClusterIpRepairOptions {
  readonly stores: Stores;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Looks at once, and every three minutes, whether Services and IPAddresses are in step, and mends what is not. Ends with the signal. */
export function repairClusterIps(options: ClusterIpRepairOptions): void {
  const { clock, signal, logger } = options;
  const recorder = createEventRecorder({ ...options, component: "ipallocator-repair-controller", api: "events" });
  const repeat = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const repair of findRepairs(options)) {
        try {
          const fault = (await carryOut(repair, options)) ? repair.fault : undefined;
          if (fault === undefined) continue;
          const object = repair.type === "give back" ? repair.address : repair.service;
          recorder.event(object, "Warning", fault.reason, fault.message, { action: fault.action });
          logger.warn({ reason: fault.reason }, fault.message);
        } catch (error) {
          if (!signal.aborted) logger.warn({ err: error }, "an address of a Service could not be repaired");
        }
      }
      await clock.sleep(INTERVAL_MS, signal);
    }
  };
  // Sleeping fails when it is over.
  repeat().catch(() => undefined);
}

function findRepairs({ stores, clock }: ClusterIpRepairOptions): readonly Repair[] {
  return repairsOf({
    services: stores.of<Service>("", "services").listCached(""),
    addresses: stores.of<IPAddress>("networking.k8s.io", "ipaddresses").listCached(""),
    serviceCidrs: stores.of<ServiceCIDR>("networking.k8s.io", "servicecidrs").listCached(""),
    nowMs: clock.now(),
  });
}

/** False where it is not as it was when it was looked at: the next look shows what is left. */
async function carryOut(repair: Repair, { client }: ClusterIpRepairOptions): Promise<boolean> {
  const take = (ip: string, service: Service): Promise<boolean> =>
    client.create(ADDRESSES, "", addressObject(ip, service)).then(
      () => true,
      (error: unknown) => (isAlreadyExists(error) ? false : Promise.reject(error)),
    );
  const giveBack = ({ metadata: { name = "", uid = "" } }: IPAddress): Promise<boolean> =>
    client.delete(ADDRESSES, "", name, { preconditions: { uid } }).then(
      () => true,
      (error: unknown) => (isNotFound(error) || isConflict(error) ? false : Promise.reject(error)),
    );
  if (repair.type === "tell") return true;
  if (repair.type === "take") return take(repair.ip, repair.service);
  if (repair.type === "give back") return giveBack(repair.address);
  return (await giveBack(repair.address)) && take(repair.address.metadata.name ?? "", repair.service);
}
