import type { Clock } from "#base/clock.ts";
import type { ResourceId } from "#client/client.ts";
import type { DiscoveredResource, Discovery } from "./discovery.ts";

/** How old the list of served resources may be. */
const DISCOVERY_AGE_MS = 1000;
/** Between looks whether a resource is served at all: `--runtime-config` says so. */
const SERVED_RETRY_MS = 30_000;

/** Waits for a resource that a server may be told to serve; false when the end of everything comes first. */
export async function untilServed(discovery: Discovery, wanted: ResourceId, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const isWanted = ({ id }: DiscoveredResource): boolean =>
      id.group === wanted.group && id.version === wanted.version && id.resource === wanted.resource;
    const found = await discovery.discover(DISCOVERY_AGE_MS).catch(() => undefined);
    if (found?.resources.some(isWanted)) return true;
    await clock.sleep(SERVED_RETRY_MS, signal).catch(() => undefined);
  }
  return false;
}
