import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec } from "#api/generated/autoscaling/v2.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { parseQuantity, quantityMilliValue } from "#apimachinery/resource/quantity.ts";
import type { Client } from "#client/client.ts";
import type { Discovery } from "../../framework/discovery.ts";
import type { PodMetric, PodMetrics } from "./pod-usage.ts";
import { resourcesOfKind } from "./scale-target.ts";
import { serverError } from "./server-error.ts";

/** What a metrics API answers about one metric: a value of each pod, or one value in thousandths. */
export type Reading = PodMetrics | number;

const RESOURCE_METRICS = "metrics.k8s.io";
const CUSTOM_METRICS = "custom.metrics.k8s.io";
const EXTERNAL_METRICS = "external.metrics.k8s.io";
/** The versions that are understood, the best first. */
const CUSTOM_METRICS_VERSIONS = ["v1beta2", "v1beta1"];
/** Over how long a custom metric was taken when it does not say. */
const CUSTOM_METRICS_WINDOW_MS = 60_000;

interface PodUsageItem {
  readonly metadata: { readonly namespace?: string; readonly name?: string };
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly { readonly name: string; readonly usage?: Readonly<Record<string, string>> }[] | null;
}

interface MetricValueItem {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  /** As v1beta1 calls it. */
  readonly window?: number;
  readonly value: string;
}

interface Items<T> {
  readonly items?: readonly T[] | null;
}

/**
 * Reads metrics from the three metrics APIs, which other servers serve. Errors are worded as those of upstream's
 * `metrics.NewRESTMetricsClient`.
 */
export class MetricsClient {
  readonly #client: Client;
  readonly #discovery: Discovery;

  constructor(client: Client, discovery: Discovery) {
    this.#client = client;
    this.#discovery = discovery;
  }

  /** `podSelector` is the selector of the target's pods, in text. */
  async read(spec: MetricSpec, namespace: string, podSelector: string): Promise<Reading> {
    if (spec.resource) return this.#resource(spec.resource.name, undefined, namespace, podSelector);
    if (spec.containerResource) {
      return this.#resource(spec.containerResource.name, spec.containerResource.container, namespace, podSelector);
    }
    if (spec.pods) return this.#pods(spec.pods.metric, namespace, podSelector);
    if (spec.object) return this.#object(spec.object.metric, spec.object.describedObject, namespace);
    if (spec.external) return this.#external(spec.external.metric, namespace);
    return Number.NaN;
  }

  async #resource(resource: string, container: string | undefined, namespace: string, selector: string): Promise<PodMetrics> {
    const path = `/apis/${RESOURCE_METRICS}/v1beta1/namespaces/${namespace}/pods${query({ labelSelector: selector })}`;
    const items = await this.#items<PodUsageItem>("resource", path, { group: RESOURCE_METRICS, resource: "pods" }, "");
    const metrics = new Map<string, PodMetric>();
    for (const item of items) {
      const value = container === undefined ? podUsage(item, resource) : containerUsage(item, resource, container);
      if (value === undefined) continue;
      const windowMs = item.window === undefined ? 0 : parseGoDuration(item.window);
      metrics.set(item.metadata.name ?? "", { value, atMs: parseTime(item.timestamp ?? "") ?? 0, windowMs });
    }
    return metrics;
  }

  async #pods({ name, selector }: MetricIdentifier, namespace: string, labelSelector: string): Promise<PodMetrics> {
    const root = await this.#customMetricsRoot();
    const metricLabelSelector = labelSelectorFromObject(selector ?? {}).toString();
    const path = `${root}/namespaces/${namespace}/pods/*/${name}${query({ labelSelector, metricLabelSelector })}`;
    const items = await this.#items<MetricValueItem>("custom", path, { group: CUSTOM_METRICS, resource: "pods" }, "*");
    return new Map(
      items.map(({ describedObject, value, timestamp, windowSeconds, window }) => {
        const seconds = windowSeconds ?? window;
        const windowMs = seconds === undefined ? CUSTOM_METRICS_WINDOW_MS : seconds * 1000;
        return [describedObject?.name ?? "", { value: milli(value), atMs: parseTime(timestamp ?? "") ?? 0, windowMs }];
      }),
    );
  }

  async #object(
    { name: metric, selector }: MetricIdentifier,
    of: CrossVersionObjectReference,
    namespace: string,
  ): Promise<number> {
    const root = await this.#customMetricsRoot();
    const { apiVersion = "", kind, name } = of;
    const group = apiVersion.includes("/") ? parseGroupVersion(apiVersion).group : "";
    const metricLabelSelector = labelSelectorFromObject(selector ?? {}).toString();
    let object = `namespaces/${namespace}/metrics`;
    let asked = { group: CUSTOM_METRICS, resource: "namespaces" };
    if (kind !== "Namespace" || group !== "") {
      const found = await resourcesOfKind(this.#discovery, group, kind).catch((error: Error) => {
        throw new Error(
          `unable to fetch metrics from custom metrics API: unable to map kind ${kindText(group, kind)} to resource: ${error.message}`,
        );
      });
      const resource = found[0]?.resource ?? "";
      const qualified = group === "" ? resource : `${resource}.${group}`;
      object = `namespaces/${namespace}/${qualified}/${name}`;
      asked = { group: CUSTOM_METRICS, resource: qualified };
    }
    const path = `${root}/${object}/${metric}${query({ metricLabelSelector })}`;
    const answer = await this.#get<MetricValueItem>("custom", path, asked, name);
    if (answer.length !== 1) {
      const told = `the custom metrics API server returned ${answer.length} results when we asked for exactly one`;
      throw new Error(`unable to fetch metrics from custom metrics API: ${told}`);
    }
    return milli(answer[0]?.value ?? "0");
  }

  async #external({ name, selector }: MetricIdentifier, namespace: string): Promise<number> {
    const labelSelector = labelSelectorFromObject(selector ?? {}).toString();
    const path = `/apis/${EXTERNAL_METRICS}/v1beta1/namespaces/${namespace}/${name}${query({ labelSelector })}`;
    const items = await this.#items<MetricValueItem>("external", path, { group: EXTERNAL_METRICS, resource: name }, "");
    return items.reduce((sum, { value }) => sum + milli(value), 0);
  }

  async #customMetricsRoot(): Promise<string> {
    for (const version of CUSTOM_METRICS_VERSIONS) {
      const root = `/apis/${CUSTOM_METRICS}/${version}`;
      try {
        await this.#client.raw(root);
        return root;
      } catch (error) {
        // Registered, and out of reach for now: the question itself tells why.
        if (!isNotFound(error)) return root;
      }
    }
    throw new Error(`unable to fetch metrics from custom metrics API: no custom metrics API (${CUSTOM_METRICS}) registered`);
  }

  /** At least one item. */
  async #items<T>(
    api: string,
    path: string,
    asked: { readonly group: string; readonly resource: string },
    name: string,
  ): Promise<readonly T[]> {
    const items = await this.#get<T>(api, path, asked, name);
    if (items.length === 0) throw new Error(`no metrics returned from ${api} metrics API`);
    return items;
  }

  async #get<T>(
    api: string,
    path: string,
    asked: { readonly group: string; readonly resource: string },
    name: string,
  ): Promise<readonly T[]> {
    try {
      return ((await this.#client.raw(path)) as Items<T>).items ?? [];
    } catch (error) {
      throw new Error(`unable to fetch metrics from ${api} metrics API: ${serverError(error, asked, name).message}`);
    }
  }
}

/** The sum over the containers; undefined when one of them has no value. */
function podUsage({ containers }: PodUsageItem, resource: string): number | undefined {
  if (!containers?.length) return undefined;
  let sum = 0;
  for (const { usage } of containers) {
    const value = usage?.[resource];
    if (value === undefined) return undefined;
    sum += milli(value);
  }
  return sum;
}

function containerUsage({ metadata, containers }: PodUsageItem, resource: string, container: string): number | undefined {
  const found = containers?.find(({ name }) => name === container);
  if (found === undefined) {
    const pod = `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
    throw new Error(`failed to get container metrics: container ${container} not present in metrics for pod ${pod}`);
  }
  const value = found.usage?.[resource];
  return value === undefined ? undefined : milli(value);
}

function milli(value: string): number {
  return quantityMilliValue(parseQuantity(value));
}

function kindText(group: string, kind: string): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function query(parameters: Readonly<Record<string, string>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
