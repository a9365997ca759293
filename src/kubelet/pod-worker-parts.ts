import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import { Attempts } from "./attempts.ts";
import { BackOff } from "./back-off.ts";
import type { ActionTarget } from "./handlers/handlers.ts";
import type { PodNow } from "./inside/pod-volumes.ts";
import { ContainerStopper } from "./kuberuntime/container-stopper.ts";
import { PodObserver } from "./kuberuntime/pod-observer.ts";
import type { ObservedPod } from "./observed-pod.ts";
import { PodEnd } from "./pod-end.ts";
import { PodEvents } from "./pod-events.ts";
import { PodPlace } from "./pod-place.ts";
import { PodProbers } from "./pod-probers.ts";
import { PodStart } from "./pod-start.ts";
import { PodStatusTeller } from "./pod-status-teller.ts";
import { PodStop } from "./pod-stop.ts";
import { PodVolumeSync } from "./pod-volume-sync.ts";
import type { PodWorkerModules } from "./pod-worker-modules.ts";
import { PodResizer } from "./resize/pod-resizer.ts";

/** What a pod's worker works with, each for one concern of the pod's. */
export interface PodWorkerParts {
  /** When the node took the pod, in milliseconds since the Unix epoch. */
  readonly startTimeMs: number;
  readonly backOff: BackOff;
  readonly attempts: Attempts;
  readonly events: PodEvents;
  readonly observer: PodObserver;
  readonly place: PodPlace;
  readonly volumes: PodVolumeSync;
  readonly resizer: PodResizer;
  readonly start: PodStart;
  readonly stop: PodStop;
  readonly stopper: ContainerStopper;
  readonly probers: PodProbers;
  readonly teller: PodStatusTeller;
  readonly end: PodEnd;
}

/** What the parts use of the worker that they belong to. */
export interface PodWorkerHooks {
  /** The pod as it is now. */
  readonly pod: () => Pod;
  /** Something happened: it looks again. */
  readonly wake: () => void;
  /** How the pod is now, as its syncs see it. */
  readonly observe: () => Promise<ObservedPod>;
  /** The node fails: nothing is told. */
  readonly isPaused: () => boolean;
}

/** Makes the parts, wired to each other; none does anything yet. */
export function podWorkerParts(modules: PodWorkerModules, { pod, wake, observe, isPaused }: PodWorkerHooks): PodWorkerParts {
  const { handlers, clock, runtime } = modules;
  const startTimeMs = parseTime(pod().status?.startTime) ?? clock.now();
  const backOff = new BackOff(modules.restartDelayMaxMs);
  const attempts = new Attempts();
  const end = new PodEnd(clock.elapsed() - Math.max(0, clock.now() - startTimeMs));
  const place = new PodPlace(modules);
  const events = new PodEvents(modules.recorder);
  const now: PodNow = () => ({ pod: pod(), addresses: place.addresses });
  const observer = new PodObserver(pod().metadata.uid ?? "", modules);
  const target = (container: Container, containerId: string): ActionTarget => {
    return { pod: pod(), container, containerId, sandboxId: place.sandboxId, ip: place.address };
  };
  const resizer = podResizer(modules, events);
  const stopper = new ContainerStopper({ runtime, handlers, clock, events, target, pod, onDone: wake });
  const start = new PodStart({
    modules,
    events,
    now,
    observe,
    onSandbox: (id) => observer.added(id),
    target,
    stopper,
    resizer,
    backOff,
    attempts,
    going: () => end.going,
  });
  const probers = new PodProbers({
    handlers,
    clock,
    target,
    onChange: wake,
    onProblem: (name, reason, message) => {
      if (!isPaused()) events.warning(pod(), name, reason, message);
    },
  });
  return {
    startTimeMs,
    backOff,
    attempts,
    events,
    observer,
    place,
    volumes: new PodVolumeSync(modules, events, now),
    resizer,
    start,
    stop: new PodStop(modules, stopper, end),
    stopper,
    probers,
    teller: new PodStatusTeller(modules.statusManager, wake),
    end,
  };
}

function podResizer(modules: PodWorkerModules, events: PodEvents): PodResizer {
  const {
    runtime,
    cgroups,
    resizeRecord: record,
    resizeProblem: problemOf = () => undefined,
    onSyncError: onUnrecorded,
  } = modules;
  return new PodResizer({
    runtime,
    cgroups,
    events,
    problemOf,
    ...(record && { record }),
    ...(onUnrecorded && { onUnrecorded }),
  });
}
