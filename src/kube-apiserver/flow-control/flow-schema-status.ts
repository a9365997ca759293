import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { formatTime } from "#apimachinery/meta/time.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import type { Clock } from "#base/clock.ts";
import type { Client } from "#client/client.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import type { Logger } from "#component-base/logging.ts";
import { danglingCondition } from "./dangling-condition.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";
/** Upstream's field manager of these conditions. */
const MANAGER = "api-priority-and-fairness-config-consumer-v1";

export interface FlowSchemaStatusOptions {
  readonly client: Client;
  readonly stores: Stores;
  /** In whose name conditions are written. */
  readonly context: RequestContext;
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
  const schemas = informers.informer<FlowSchema>({ group: GROUP, version: "v1", resource: "flowschemas" });
  const levels = informers.informer<PriorityLevelConfiguration>({
    group: GROUP,
    version: "v1",
    resource: "prioritylevelconfigurations",
  });
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
  const { stores, context, clock, logger, signal } = options;
  const now = formatTime(clock.now());
  const current = conditionOf(schema);
  if (danglingCondition(level, exists, current, now) === current) return;
  try {
    await stores.of<FlowSchema>(GROUP, "flowschemas").update(
      "",
      schema.metadata.name ?? "",
      (draft) => {
        const old = conditionOf(draft);
        const others = (draft.status?.conditions ?? []).filter((condition) => condition !== old);
        draft.status = { ...draft.status, conditions: [...others, { ...danglingCondition(level, exists, old, now) }] };
      },
      context,
      { subresource: "status", fieldManager: MANAGER },
    );
  } catch (error) {
    if (!isNotFound(error) && !signal.aborted) logger.warn({ err: error, schema: schema.metadata.name }, "no condition written");
  }
}

function conditionOf(schema: FlowSchema): FlowSchemaCondition | undefined {
  return schema.status?.conditions?.find(({ type }) => type === "Dangling");
}
