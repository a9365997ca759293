import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { ApiObject } from "#apimachinery/meta/api-object.ts";
import { formatMicroTime, formatTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Logger } from "#component-base/logging.ts";
import type { Client, ResourceId } from "./client.ts";
import { EventCorrelator, type EventDraft, type LoggedEvent } from "./event-correlator.ts";
import { EventQueue } from "./event-queue.ts";
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
  /** Told when events are lost because too many wait to be written. */
  readonly logger?: Logger;
}

const CORE_EVENTS: ResourceId = { group: "", version: "v1", resource: "events" };
const EVENTS: ResourceId = { group: "events.k8s.io", version: "v1", resource: "events" };
/** A series ends when nothing came for this long. */
const SERIES_MAX_AGE_MS = 360_000;
const SERIES_MAX = 4096;

/** Makes a recorder for one component. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, component, logger } = options;
  const queue = new EventQueue({
    clock,
    onDropped(dropped) {
      if (dropped === 0) logger?.warn({ component }, "too many events wait to be written: further ones are dropped");
      else logger?.warn({ component, dropped }, "events were dropped");
    },
  });
  const prepare = options.api === "core" ? coreWriter(options) : seriesWriter(options);
  return {
    event(target, type, reason, message, details = {}) {
      const prepared = prepare({ reference: toReference(target), type, reason, message }, details, clock.now());
      if (prepared !== undefined && !queue.push(prepared.key, prepared.write)) prepared.dropped?.();
    },
    flush: () => queue.flush(),
  };
}

interface Prepared {
  /** The same for all writes of one event. */
  readonly key: string;
  write(): Promise<void>;
  /** It was not written after all. */
  dropped?(): void;
}

/** Decides at once what is to be written later, if anything. */
type Writer = (draft: EventDraft, details: EventDetails, nowMs: number) => Prepared | undefined;

function coreWriter(options: EventRecorderOptions): Writer {
  const { client, component, reportingInstance = "" } = options;
  const uniqueName = eventNames(options.random);
  const correlator = new EventCorrelator(({ reference }, nowMs) => uniqueName(reference.name, nowMs));
  /** By key: what is to be written in the end, for events whose turn has not come yet. */
  const waiting = new Map<string, { event: LoggedEvent }>();

  async function create({ reference, type, reason }: EventDraft, event: LoggedEvent): Promise<void> {
    const namespace = reference.namespace ?? "default";
    await client.create<ApiObject>(CORE_EVENTS, namespace, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: event.name, namespace },
      involvedObject: reference,
      reason,
      message: event.message,
      source: { component, ...(reportingInstance === "" ? {} : { host: reportingInstance }) },
      firstTimestamp: formatTime(event.firstMs),
      lastTimestamp: formatTime(event.lastMs),
      count: event.count,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance,
    });
  }

  async function update(draft: EventDraft, { name, count, lastMs, message }: LoggedEvent): Promise<boolean> {
    const patch = { count, lastTimestamp: formatTime(lastMs), message };
    const namespace = draft.reference.namespace ?? "default";
    try {
      await client.patch(CORE_EVENTS, namespace, name, "application/strategic-merge-patch+json", patch);
      return true;
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
      return false;
    }
  }

  return (draft, _details, nowMs) => {
    const correlation = correlator.correlate(draft, nowMs);
    if (correlation.type === "drop") return undefined;
    const { key, event } = correlation;
    const merged = waiting.get(key);
    if (merged !== undefined) {
      merged.event = event;
      return undefined;
    }
    const pending = { event };
    waiting.set(key, pending);
    return {
      key,
      async write() {
        if (waiting.get(key) === pending) waiting.delete(key);
        // One that is gone by now comes back with its count, as upstream.
        if (correlation.type === "update" && (await update(draft, pending.event))) return;
        await create(draft, pending.event);
      },
      dropped() {
        waiting.delete(key);
        if (correlation.type === "create") correlator.forget(key);
      },
    };
  };
}

function seriesWriter(options: EventRecorderOptions): Writer {
  const { client, component, reportingInstance = component } = options;
  const uniqueName = eventNames(options.random);
  const series = new Map<string, { name: string; count: number; lastMs: number }>();

  function remember(key: string, name: string, nowMs: number): void {
    series.delete(key);
    series.set(key, { name, count: 1, lastMs: nowMs });
    for (const oldest of series.keys()) {
      if (series.size <= SERIES_MAX) break;
      series.delete(oldest);
    }
  }

  return ({ reference, type, reason, message }, details, nowMs) => {
    const namespace = reference.namespace ?? "default";
    const action = details.action ?? reason;
    const { resourceVersion: _, ...identity } = reference;
    const key = JSON.stringify([type, action, reason, identity, details.related ?? null]);
    const running = series.get(key);
    if (running !== undefined && nowMs - running.lastMs < SERIES_MAX_AGE_MS) {
      running.count++;
      running.lastMs = nowMs;
      // Upstream writes the first repetition at once; later ones only when the series ends.
      if (running.count > 2) return undefined;
      const patch = { series: { count: running.count, lastObservedTime: formatMicroTime(nowMs) } };
      return {
        key,
        async write() {
          await client.patch(EVENTS, namespace, running.name, "application/strategic-merge-patch+json", patch);
        },
      };
    }
    const name = uniqueName(reference.name, nowMs);
    remember(key, name, nowMs);
    return {
      key,
      dropped: () => series.delete(key),
      async write() {
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
      },
    };
  };
}

/** `<object>.<nanoseconds in hex>`, as upstream; the digits below a millisecond are random, to be unique. */
function eventNames(random: Random): (objectName: string, nowMs: number) => string {
  return (objectName, nowMs) => {
    const nanos = BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(random.int(1_000_000));
    return `${objectName}.${nanos.toString(16)}`;
  };
}
