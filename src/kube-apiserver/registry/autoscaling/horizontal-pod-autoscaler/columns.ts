import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "#api/generated/autoscaling/v2.ts";
import type { Column } from "#apiserver/registry/resource.ts";
import { ageColumn, nameColumn } from "#apiserver/table/metadata-columns.ts";
import { columnsOf } from "../../columns.ts";

const METRICS_SHOWN_MAX = 2;
const UNKNOWN = "<unknown>";
const column = columnsOf<HorizontalPodAutoscaler>("autoscaling/horizontalpodautoscalers");

/** Upstream's `printHorizontalPodAutoscaler`. */
export const AUTOSCALER_COLUMNS: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn,
  column("Reference", "string", ({ spec }) => `${spec?.scaleTargetRef.kind}/${spec?.scaleTargetRef.name}`),
  column("Targets", "string", shownMetrics),
  column("MinPods", "string", ({ spec }) => (spec?.minReplicas === undefined ? "<unset>" : `${spec.minReplicas}`)),
  column("MaxPods", "string", ({ spec }) => spec?.maxReplicas ?? 0),
  column("Replicas", "string", ({ status }) => status?.currentReplicas ?? 0),
  ageColumn,
];

function shownMetrics({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec?.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const shown = metrics.slice(0, METRICS_SHOWN_MAX).map((metric, i) => shownMetric(metric, status?.currentMetrics?.[i]));
  const more = metrics.length - METRICS_SHOWN_MAX;
  return `${shown.join(", ")}${more > 0 ? ` + ${more} more...` : ""}`;
}

function shownMetric(metric: MetricSpec, status: MetricStatus | undefined): string {
  switch (metric.type) {
    case "External":
      return ofPods(metric.external?.target, status?.external?.current);
    case "Object":
      return ofPods(metric.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current?.averageValue ?? UNKNOWN}/${metric.pods?.target.averageValue ?? ""}`;
    case "Resource":
      return ofResource(metric.resource, status?.resource?.current);
    case "ContainerResource":
      return ofResource(metric.containerResource, status?.containerResource?.current);
    default:
      return "<unknown type>";
  }
}

function ofPods(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`;
  return `${current?.value ?? UNKNOWN}/${target?.value ?? ""}`;
}

function ofResource(
  source: { readonly name: string; readonly target: MetricTarget } | undefined,
  current: MetricValueStatus | undefined,
): string {
  const { averageValue, averageUtilization } = source?.target ?? {};
  const percent = (value: number | undefined, absent: string): string => (value === undefined ? absent : `${value}%`);
  const pair =
    averageValue === undefined
      ? `${percent(current?.averageUtilization, UNKNOWN)}/${percent(averageUtilization, "<auto>")}`
      : `${current?.averageValue ?? UNKNOWN}/${averageValue}`;
  return `${source?.name}: ${pair}`;
}
