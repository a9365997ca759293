import type { StorageVersionMigration } from "#api/generated/storagemigration/v1beta1.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { SharedInformer } from "#client/informer.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller } from "../../framework/controller.ts";
import { type DiscoveredResource, Discovery } from "../../framework/discovery.ts";
import { untilServed } from "../../framework/until-served.ts";
import { migrateObjects, revisionOf } from "./migrate-objects.ts";
import { type Action, type Observed, reconcile, unhandled, withCondition } from "./reconcile.ts";

/** The controller's name, which is also its field manager. */
export const NAME = "storage-version-migrator-controller";

const MIGRATIONS: ResourceId = { group: "storagemigration.k8s.io", version: "v1beta1", resource: "storageversionmigrations" };

/** How old the list of served resources may be. */
const DISCOVERY_AGE_MS = 1000;

/** Writes objects anew, so that they are stored in the version that is stored today (KEP-4192). */
export const storageVersionMigratorController: ControllerDefinition = {
  name: NAME,
  create({ client, clock, random, signal }) {
    const discovery = new Discovery(client, clock);
    const migrations = new SharedInformer<StorageVersionMigration>(MIGRATIONS, {}, { client, clock, random });
    return controller<Observed, Action>({
      sources: [],
      async start(enqueue) {
        migrations.addHandler({ onAdd: (object) => enqueue(keyOf(object)), onUpdate: (_old, object) => enqueue(keyOf(object)) });
        if (await untilServed(discovery, MIGRATIONS, clock, signal)) await migrations.run(signal);
      },
      async observe(key) {
        const migration = migrations.lister.get("", splitKey(key).name);
        if (migration === undefined) return undefined;
        // What is found missing may have come since the last look.
        const resource = (await find(discovery, migration, DISCOVERY_AGE_MS)) ?? (await find(discovery, migration, 0));
        return { migration, resource, now: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const action of actions) await carryOut(client, clock, action);
      },
    });
  },
};

/** What a migration is about, in the version that its group prefers where that serves it. */
async function find(
  discovery: Discovery,
  { spec }: StorageVersionMigration,
  maxAgeMs: number,
): Promise<DiscoveredResource | undefined> {
  const { group = "", resource: name } = spec.resource;
  const { resources } = await discovery.discover(maxAgeMs);
  const found = resources.filter(({ id }) => id.group === group && id.resource === name);
  return found.find(({ preferred }) => preferred) ?? found[0];
}

async function carryOut(client: Client, clock: Clock, action: Action): Promise<void> {
  const { migration } = action;
  const write = async (before: StorageVersionMigration, type: "Running" | "Succeeded" | "Failed", message: string) => {
    const { resourceVersion = before.metadata.resourceVersion ?? "" } = before.status ?? {};
    const status = withCondition({ ...before.status, resourceVersion }, type, message, formatTime(clock.now()));
    return writeStatus(client, { ...before, status });
  };
  if (action.type === "fail") {
    await write(migration, "Failed", action.message);
    return;
  }
  const { resource } = action;
  if (action.type === "checkpoint") {
    const resourceVersion = await revisionOf(client, resource);
    await writeStatus(client, { ...migration, status: { ...migration.status, resourceVersion } });
    return;
  }
  const running = await write(migration, "Running", "");
  const failure = await migrateObjects(client, resource, migration.status?.resourceVersion ?? "", NAME);
  if (failure === undefined) await write(running, "Succeeded", "");
  else await write(running, "Failed", unhandled(failure));
}

function writeStatus(client: Client, migration: StorageVersionMigration): Promise<StorageVersionMigration> {
  const { name = "" } = migration.metadata;
  return client.update<StorageVersionMigration>(MIGRATIONS, "", name, migration, { subresource: "status" });
}
