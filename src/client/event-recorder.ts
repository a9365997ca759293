import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatMicroTime, formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "./client.ts";
import { EventCorrelator, type EventDraft } from "./event-correlator.ts";
import { type ObjectReference, type TypedObject, toReference } from "./event-target.ts";

export type EventType = "Normal" | "Warning";

/** Further facts of an event of events.k8s.io. */
export interface EventDetails {
  /** What was done: `Binding`, `Preempting`. Required by that API; the reason when absent. */
  readonly action?: string;
  readonly related?: ObjectReference;
}

/** Tells users what a component did. Never fails and never waits: events are written later, in order, best effort. */
export interface EventRecorder {
  event(target: ObjectReference | TypedObject, type: EventType, reason: string, message: string, details?: EventDetails): void;
  /** Resolves when everything recorded so far is written or given up. */
  flush(): Promise<void>;
}

/** Options of {@link createEventRecorder}. */
export interface EventRecorderOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** `replicaset-controller`, `default-scheduler`, `kubelet`. */
  readonly component: string;
  /** The host; empty for controllers. */
  readonly reportingInstance?: string;
  /** `core` writes v1 events with counts, `events` those of events.k8s.io with series. */
  readonly api: "core" | "events";
}

const CORE_EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const EVENTS: ResourceId = { group: "events.k8s.io", version: "v1", resource: "events" };
/** Events that wait to be written; more are dropped, as upstream's broadcaster does. */
const PENDING_MAX = 1000;
/** A series ends when nothing came for this long. */
const SERIES_MAX_AGE_MS = 360_000;
const SERIES_MAX = 4096;

/** Makes a recorder for one component. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const write = options.api === "core" ? coreWriter(options) : seriesWriter(options);
  let pending = 0;
  let last: Promise<void> = Promise.resolve();
  return {
    event(target, type, reason, message, details = {}) {
      if (pending >= PENDING_MAX) return;
      pending++;
      const draft = { reference: toReference(target), type, reason, message };
      const nowMs = options.clock.now();
      last = last
        .then(() => write(draft, details, nowMs))
        // Events are best effort: the namespace may be going, the server may be away.
        .catch(() => {})
        .finally(() => {
          pending--;
        });
    },
    flush: () => last,
  };
}

type Writer = (draft: EventDraft, details: EventDetails, nowMs: number) => Promise<void>;

function coreWriter(options: EventRecorderOptions): Writer {
  const { client, component, reportingInstance = "" } = options;
  const correlator = new EventCorrelator();
  const uniqueName = eventNames(options.random);

  async function create(draft: EventDraft, key: string, message: string, nowMs: number): Promise<void> {
    const { reference } = draft;
    const namespace = reference.namespace ?? "default";
    const time = formatTime(nowMs);
    const name = uniqueName(reference.name, nowMs);
    await client.create<ApiObject>(CORE_EVENTS, namespace, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: reference,
      reason: draft.reason,
      message,
      source: { component, ...(reportingInstance === "" ? {} : { host: reportingInstance }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type: draft.type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance,
    });
    correlator.created(key, name, nowMs);
  }

  return async (draft, _details, nowMs) => {
    const correlation = correlator.correlate(draft, nowMs);
    if (correlation.type === "drop") return;
    if (correlation.type === "create") return create(draft, correlation.key, correlation.message, nowMs);
    const patch = { count: correlation.count, lastTimestamp: formatTime(nowMs), message: correlation.message };
    const namespace = draft.reference.namespace ?? "default";
    try {
      await client.patch(CORE_EVENTS, namespace, correlation.name, "application/strategic-merge-patch+json", patch);
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
      correlator.forget(correlation.key);
      await create(draft, correlation.key, correlation.message, nowMs);
    }
  };
}

function seriesWriter(options: EventRecorderOptions): Writer {
  const { client, component, reportingInstance = component } = options;
  const uniqueName = eventNames(options.random);
  const series = new Map<string, { name: string; count: number; lastMs: number }>();

  return async ({ reference, type, reason, message }, details, nowMs) => {
    const namespace = reference.namespace ?? "default";
    const action = details.action ?? reason;
    const { resourceVersion: _, ...identity } = reference;
    const key = JSON.stringify([type, action, reason, identity, details.related ?? null]);
    const running = series.get(key);
    if (running !== undefined && nowMs - running.lastMs < SERIES_MAX_AGE_MS) {
      running.count++;
      running.lastMs = nowMs;
      // Upstream writes the first repetition at once; later ones only when the series ends.
      if (running.count > 2) return;
      const patch = { series: { count: running.count, lastObservedTime: formatMicroTime(nowMs) } };
      await client.patch(EVENTS, namespace, running.name, "application/strategic-merge-patch+json", patch);
      return;
    }
    const name = uniqueName(reference.name, nowMs);
    series.delete(key);
    series.set(key, { name, count: 1, lastMs: nowMs });
    if (series.size > SERIES_MAX) {
      for (const oldest of series.keys()) {
        series.delete(oldest);
        break;
      }
    }
    await client.create<ApiObject>(EVENTS, namespace, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name, namespace },
      eventTime: formatMicroTime(nowMs),
      reportingController: component,
      reportingInstance,
      action,
      reason,
      regarding: reference,
      ...(details.related === undefined ? {} : { related: details.related }),
      note: message,
      type,
    });
  };
}

/** `<object>.<nanoseconds in hex>`, as upstream; the digits below a millisecond are random, to be unique. */
function eventNames(random: Random): (objectName: string, nowMs: number) => string {
  return (objectName, nowMs) => {
    const nanos = BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(random.int(1_000_000));
    return `${objectName}.${nanos.toString(16)}`;
  };
}
