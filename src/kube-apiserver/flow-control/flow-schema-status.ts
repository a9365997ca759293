import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import type { Logger } from "#component-base/logging.ts";
import { danglingCondition } from "./dangling-condition.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";
const FLOW_SCHEMAS: ResourceId = { group: GROUP, version: "v1", resource: "flowschemas" };
const PRIORITY_LEVELS: ResourceId = { group: GROUP, version: "v1", resource: "prioritylevelconfigurations" };
/** Upstream's field manager of these conditions. */
const MANAGER = "api-priority-and-fairness-config-consumer-v1";

export interface FlowSchemaStatusOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Keeps the `Dangling` condition of every FlowSchema true to the priority levels that there are, as upstream's
 * configuration consumer does. Ends with the signal.
 */
export function keepFlowSchemaStatus(options: FlowSchemaStatusOptions): void {
  const { client, clock, signal } = options;
  const informers = new SharedInformerFactory({ client, clock });
  const schemas = informers.informer<FlowSchema>(FLOW_SCHEMAS);
  const levels = informers.informer<PriorityLevelConfiguration>(PRIORITY_LEVELS);
  const judge = (schema: FlowSchema): void => {
    if (!schemas.hasSynced || !levels.hasSynced || signal.aborted) return;
    const level = schema.spec?.priorityLevelConfiguration.name ?? "";
    void writeCondition(options, schema, level, levels.lister.get("", level) !== undefined);
  };
  const judgeUsersOf = (level: PriorityLevelConfiguration): void => {
    for (const schema of schemas.lister.list()) {
      if (schema.spec?.priorityLevelConfiguration.name === level.metadata.name) judge(schema);
    }
  };
  schemas.addHandler({ onAdd: judge, onUpdate: (_old, schema) => judge(schema) });
  levels.addHandler({ onAdd: judgeUsersOf, onDelete: judgeUsersOf });
  informers.start(signal);
  void informers.waitForSync().then(() => {
    for (const schema of schemas.lister.list()) judge(schema);
  });
}

async function writeCondition(
  options: FlowSchemaStatusOptions,
  schema: FlowSchema,
  level: string,
  exists: boolean,
): Promise<void> {
  const { client, clock, logger, signal } = options;
  const old = conditionOf(schema);
  const condition = danglingCondition(level, exists, old, formatTime(clock.now()));
  if (condition === old) return;
  const name = schema.metadata.name ?? "";
  const applied = { apiVersion: `${GROUP}/v1`, kind: "FlowSchema", metadata: { name }, status: { conditions: [condition] } };
  const how = { subresource: "status", fieldManager: MANAGER, force: true };
  try {
    await client.patch(FLOW_SCHEMAS, "", name, "application/apply-patch+yaml", applied, how);
  } catch (error) {
    if (!isNotFound(error) && !signal.aborted) logger.warn({ err: error, schema: name }, "no condition written");
  }
}

function conditionOf(schema: FlowSchema): FlowSchemaCondition | undefined {
  return schema.status?.conditions?.find(({ type }) => type === "Dangling");
}
