import type { PriorityLevelConfiguration, QueuingConfiguration } from "#api/generated/flowcontrol/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";
import { validateStatus } from "../status-validation.ts";
import { validatePriorityLevel } from "./validation.ts";

const NONE = "<none>";
const DEFAULT_SHARES = 30;
const DEFAULT_QUEUING: QueuingConfiguration = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const column = columnsOf<PriorityLevelConfiguration>("flowcontrol.apiserver.k8s.io/prioritylevelconfigurations");

/** PriorityLevelConfigurations, as served by flowcontrol.apiserver.k8s.io/v1. */
export const priorityLevelConfigurations: ResourceDefinition<PriorityLevelConfiguration> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  singular: "prioritylevelconfiguration",
  scope: "Cluster",
  storagePrefix: "prioritylevelconfigurations",
  columns: [
    nameColumn,
    column("Type", "string", ({ spec }) => spec?.type ?? ""),
    column("NominalConcurrencyShares", "string", ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? NONE),
    column("Queues", "string", (level) => queuingOf(level)?.queues ?? NONE),
    column("HandSize", "string", (level) => queuingOf(level)?.handSize ?? NONE),
    column("QueueLengthLimit", "string", (level) => queuingOf(level)?.queueLengthLimit ?? NONE),
    ageColumn,
  ],
  strategy: {
    setDefaults,
    validate: validatePriorityLevel,
    generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  },
  subresources: { status: { type: "status", keepsMetadata: "all", validateUpdate: validateStatus } },
};

function queuingOf({ spec }: PriorityLevelConfiguration): QueuingConfiguration | undefined {
  return spec?.limited?.limitResponse?.queuing;
}

/** Upstream's defaults of both types of levels. */
function setDefaults({ spec }: Draft<PriorityLevelConfiguration>): void {
  const { limited, exempt } = spec ?? {};
  if (exempt) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (!limited) return;
  limited.nominalConcurrencyShares ??= DEFAULT_SHARES;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (!queuing) return;
  for (const field of ["queues", "handSize", "queueLengthLimit"] as const) queuing[field] ||= DEFAULT_QUEUING[field] ?? 0;
}
