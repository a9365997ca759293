import type { Condition } from "#api/generated/meta/v1.ts";
import type { StorageVersionMigration, StorageVersionMigrationStatus } from "#api/generated/storagemigration/v1beta1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { RequeueAction } from "../../framework/controller.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";

/** How long a resource may be on its way into discovery. */
const DISCOVERY_GRACE_MS = 60_000;
/** Between looks for a resource that is not there. */
const DISCOVERY_RETRY_MS = 1000;

const REQUIRED_VERBS: readonly string[] = ["update", "patch", "list"];

/** What a migration is decided on. */
export interface Observed {
  readonly migration: StorageVersionMigration;
  /** What is to be migrated, in the version that its group prefers. */
  readonly resource: DiscoveredResource | undefined;
  readonly now: number;
}

/** What to do about a migration. */
export type Action =
  | { readonly type: "fail"; readonly migration: StorageVersionMigration; readonly message: string }
  /** Writes down up to which revision objects are to be written anew. */
  | { readonly type: "checkpoint"; readonly migration: StorageVersionMigration; readonly resource: DiscoveredResource }
  | { readonly type: "migrate"; readonly migration: StorageVersionMigration; readonly resource: DiscoveredResource };

/** Upstream's resource version controller and SVM controller (pkg/controller/storageversionmigrator). */
export function reconcile({ migration, resource, now }: Observed): readonly (Action | RequeueAction)[] {
  if (hasEnded(migration)) return [];
  if (!migration.status?.resourceVersion) {
    if (resource === undefined) return [{ type: "fail", migration, message: "resource does not exist in discovery" }];
    if (REQUIRED_VERBS.every((verb) => resource.verbs.includes(verb))) return [{ type: "checkpoint", migration, resource }];
    return [{ type: "fail", migration, message: notMigratable(resource) }];
  }
  if (resource !== undefined) return [{ type: "migrate", migration, resource }];
  const age = now - (parseTime(migration.metadata.creationTimestamp) ?? 0);
  if (age < DISCOVERY_GRACE_MS) return [{ type: "requeue", afterMs: DISCOVERY_RETRY_MS }];
  return [{ type: "fail", migration, message: unhandled("unable to obtain GVR from discovery") }];
}

function notMigratable({ id }: DiscoveredResource): string {
  const resource = `${id.group}/${id.version}, Resource=${id.resource}`;
  return `resource "${resource}" does not support discovery operations: [${REQUIRED_VERBS.join(" ")}]`;
}

/** The message of a migration that failed for `reason`. */
export function unhandled(reason: string): string {
  return `migration encountered unhandled error: ${reason}`;
}

/** Whether a migration is through, well or not. */
export function hasEnded({ status }: StorageVersionMigration): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => (type === "Succeeded" || type === "Failed") && is === "True") === true
  );
}

const REASONS = {
  Running: "StorageVersionMigrationInProgress",
  Succeeded: "StorageVersionMigrationSucceeded",
  Failed: "StorageVersionMigrationFailed",
} as const;

/** The status with a condition true; a migration that ended runs no longer. */
export function withCondition(
  status: StorageVersionMigrationStatus,
  type: keyof typeof REASONS,
  message: string,
  now: string,
): StorageVersionMigrationStatus {
  const kept = (status.conditions ?? []).filter((condition) => condition.type !== type);
  const ended = kept.map(
    (condition): Condition =>
      type !== "Running" && condition.type === "Running" && condition.status === "True"
        ? { ...condition, status: "False", lastTransitionTime: now }
        : condition,
  );
  const condition: Condition = { type, status: "True", lastTransitionTime: now, reason: REASONS[type], message };
  return { ...status, conditions: [...ended, condition] };
}
