import type * as v1 from "#api/generated/autoscaling/v1.ts";
import type * as v2 from "#api/generated/autoscaling/v2.ts";

/** A quantity that Go does not leave out. */
const ZERO = "0";

/** A metric as `autoscaling/v1` writes it into an annotation; fields in Go's order. */
export function toOldMetric({ type, object, pods, resource, containerResource, external }: v2.MetricSpec): v1.MetricSpec {
  return {
    type,
    ...(object && { object: toOldObject(object) }),
    ...(pods && {
      pods: {
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? ZERO,
        ...optional("selector", pods.metric.selector),
      },
    }),
    ...(resource && { resource: { name: resource.name, ...toOldTarget(resource.target) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        ...toOldTarget(containerResource.target),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metricName: external.metric.name,
        ...optional("metricSelector", external.metric.selector),
        ...optional("targetValue", external.target.value),
        ...optional("targetAverageValue", external.target.averageValue),
      },
    }),
  };
}

function toOldObject({ describedObject, metric, target }: v2.ObjectMetricSource): v1.ObjectMetricSource {
  return {
    target: reference(describedObject),
    metricName: metric.name,
    targetValue: target.value ?? ZERO,
    ...optional("selector", metric.selector),
    ...optional("averageValue", target.averageValue),
  };
}

function toOldTarget(target: v2.MetricTarget): Pick<v1.ResourceMetricSource, "targetAverageUtilization" | "targetAverageValue"> {
  return {
    ...optional("targetAverageUtilization", target.averageUtilization),
    ...optional("targetAverageValue", target.averageValue),
  };
}

/** The inverse of {@link toOldMetric}: the type of a target follows from which of its values is there. */
export function fromOldMetric({ type, object, pods, resource, containerResource, external }: v1.MetricSpec): v2.MetricSpec {
  return {
    type,
    ...(object && { object: fromOldObject(object) }),
    ...(pods && {
      pods: {
        metric: identifier(pods.metricName, pods.selector),
        target: { type: "AverageValue", averageValue: pods.targetAverageValue },
      },
    }),
    ...(resource && { resource: { name: resource.name, target: fromOldTarget(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        target: fromOldTarget(containerResource),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metric: identifier(external.metricName, external.metricSelector),
        target: {
          type: external.targetValue === undefined ? "AverageValue" : "Value",
          ...optional("value", external.targetValue),
          ...optional("averageValue", external.targetAverageValue),
        },
      },
    }),
  };
}

function fromOldObject(object: v1.ObjectMetricSource): v2.ObjectMetricSource {
  return {
    describedObject: reference(object.target),
    target: {
      type: object.averageValue === undefined ? "Value" : "AverageValue",
      value: object.targetValue,
      ...optional("averageValue", object.averageValue),
    },
    metric: identifier(object.metricName, object.selector),
  };
}

function fromOldTarget(source: v1.ResourceMetricSource): v2.MetricTarget {
  return {
    type: source.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    ...optional("averageUtilization", source.targetAverageUtilization),
    ...optional("averageValue", source.targetAverageValue),
  };
}

/** A measured metric as `autoscaling/v1` writes it into an annotation. */
export function toOldStatus({ type, object, pods, resource, containerResource, external }: v2.MetricStatus): v1.MetricStatus {
  return {
    type,
    ...(object && {
      object: {
        target: reference(object.describedObject),
        metricName: object.metric.name,
        currentValue: object.current.value ?? ZERO,
        ...optional("selector", object.metric.selector),
        ...optional("averageValue", object.current.averageValue),
      },
    }),
    ...(pods && {
      pods: {
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? ZERO,
        ...optional("selector", pods.metric.selector),
      },
    }),
    ...(resource && { resource: { name: resource.name, ...toOldValue(resource.current) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        ...toOldValue(containerResource.current),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metricName: external.metric.name,
        ...optional("metricSelector", external.metric.selector),
        currentValue: external.current.value ?? ZERO,
        ...optional("currentAverageValue", external.current.averageValue),
      },
    }),
  };
}

function toOldValue(current: v2.MetricValueStatus): Omit<v1.ResourceMetricStatus, "name"> {
  return {
    ...optional("currentAverageUtilization", current.averageUtilization),
    currentAverageValue: current.averageValue ?? ZERO,
  };
}

/** The inverse of {@link toOldStatus}. */
export function fromOldStatus({ type, object, pods, resource, containerResource, external }: v1.MetricStatus): v2.MetricStatus {
  return {
    type,
    ...(object && {
      object: {
        metric: identifier(object.metricName, object.selector),
        current: { value: object.currentValue, ...optional("averageValue", object.averageValue) },
        describedObject: reference(object.target),
      },
    }),
    ...(pods && {
      pods: { metric: identifier(pods.metricName, pods.selector), current: { averageValue: pods.currentAverageValue } },
    }),
    ...(resource && { resource: { name: resource.name, current: fromOldValue(resource) } }),
    ...(containerResource && {
      containerResource: {
        name: containerResource.name,
        current: fromOldValue(containerResource),
        container: containerResource.container,
      },
    }),
    ...(external && {
      external: {
        metric: identifier(external.metricName, external.metricSelector),
        current: { value: external.currentValue, ...optional("averageValue", external.currentAverageValue) },
      },
    }),
  };
}

function fromOldValue(status: v1.ResourceMetricStatus): v2.MetricValueStatus {
  return {
    averageValue: status.currentAverageValue,
    ...optional("averageUtilization", status.currentAverageUtilization),
  };
}

function reference({ kind, name, apiVersion }: v2.CrossVersionObjectReference): v2.CrossVersionObjectReference {
  return { kind, name, ...optional("apiVersion", apiVersion) };
}

function identifier(name: string, selector: v2.MetricIdentifier["selector"]): v2.MetricIdentifier {
  return { name, ...optional("selector", selector) };
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
