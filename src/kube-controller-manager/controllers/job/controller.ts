import type { Job } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { type Change, type ControllerDefinition, controller, type DelayedKey, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { ownerKeys } from "../../framework/owner-keys.ts";
import { JOB } from "../../framework/owner-kinds.ts";
import { addOwnershipIndexes, claim, orphansFor, ownedBy } from "../../framework/ownership.ts";
import { PodControl } from "../../framework/pod-control.ts";
import { JOBS, PODS } from "../../framework/resources.ts";
import { type BackoffRecord, NO_BACKOFF } from "./backoff.ts";
import { isJobFinished } from "./conditions.ts";
import { CountedPods } from "./counted-pods.ts";
import { JobActions } from "./job-actions.ts";
import { isTracked } from "./job-pods.ts";
import { type Action, type Observed, type ObservedOrphan, reconcile } from "./reconcile.ts";

/** Changes of pods are gathered for this long: a Job's status is not worth a write per pod. Upstream's `SyncJobBatchPeriod`. */
export const BATCH_PERIOD_MS = 1000;
/** Keys of pods that no Job counts, beside those of Jobs; no name holds a colon. */
const ORPHAN_PREFIX = "orphan:";
const BUILT_IN_MANAGER = "kubernetes.io/job-controller";
/** Runs pods until enough of them succeeded, and counts them. */
export const jobController: ControllerDefinition = {
  name: "job-controller",
  create(context) {
    const { client, clock, recorder } = context;
    const jobs = context.informers.informer<Job>(JOBS);
    const pods = context.informers.informer<Pod>(PODS);
    addOwnershipIndexes(pods);
    const podControl = new PodControl({ client, clock, recorder });
    const written = new Expectations(clock);
    const backoffs = new Map<string, BackoffRecord>();
    const counted = new CountedPods();
    const actions = new JobActions({ client, recorder, podControl, written, backoffs, counted });

    function observe(key: string): Observed | undefined {
      if (key.startsWith(ORPHAN_PREFIX)) return observeOrphan(key.slice(ORPHAN_PREFIX.length));
      const { namespace, name } = splitKey(key);
      const job = jobs.lister.get(namespace, name);
      if (job === undefined || isManagedElsewhere(job)) return undefined;
      const uid = job.metadata.uid ?? "";
      // A decision on an old status would count pods twice; the new one is on its way and brings the key back.
      if (!written.satisfied(uid, jobs)) return undefined;
      const owned = ownedBy(pods, uid);
      const selector = labelSelectorFromObject(job.spec.selector ?? {});
      const claims = claim(job, selector, [...owned, ...orphansFor(pods, namespace, selector)]);
      return {
        type: "job",
        job,
        pods: claims.keep,
        adopt: claims.adopt,
        release: claims.release,
        mayManage: podControl.isSettled(uid, pods),
        counted: counted.stillCounted(uid, owned),
        backoff: backoffs.get(uid) ?? NO_BACKOFF,
        nowMs: clock.now(),
      };
    }

    function observeOrphan(key: string): ObservedOrphan | undefined {
      const { namespace, name } = splitKey(key);
      const pod = pods.lister.get(namespace, name);
      if (pod === undefined || !isTracked(pod)) return undefined;
      const job = jobOf(pod);
      return job !== undefined && (isManagedElsewhere(job) || !isJobFinished(job)) ? undefined : { type: "orphan", pod };
    }

    function jobOf(pod: Pod): Job | undefined {
      const reference = controllerOf(pod);
      if (reference?.kind !== JOB.kind) return undefined;
      const job = jobs.lister.get(pod.metadata.namespace ?? "", reference.name);
      return job?.metadata.uid === reference.uid ? job : undefined;
    }

    function* jobKeys({ type, old, object }: Change<Job>): Generator<string | DelayedKey> {
      const uid = object.metadata.uid ?? "";
      if (type === "delete") {
        podControl.forget(uid);
        written.forget(uid);
        backoffs.delete(uid);
        counted.forget(uid);
      }
      if (isJobFinished(object)) backoffs.delete(uid);
      // Nobody counts these any more.
      if (type === "delete" || (isJobFinished(object) && old !== undefined)) {
        for (const pod of ownedBy(pods, uid)) if (isTracked(pod)) yield `${ORPHAN_PREFIX}${keyOf(pod)}`;
      }
      const statusOnly = type === "update" && old?.metadata.generation === object.metadata.generation;
      yield statusOnly ? { key: keyOf(object), afterMs: BATCH_PERIOD_MS } : keyOf(object);
    }

    const jobKeysOfPod = ownerKeys<Job, Pod>({
      kind: JOB,
      informer: jobs,
      selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector ?? {}),
    });

    function* podKeys(change: Change<Pod>): Generator<string | DelayedKey> {
      const { type, object } = change;
      const owned = controllerOf(object) !== undefined;
      for (const key of jobKeysOfPod(change)) yield owned ? { key, afterMs: BATCH_PERIOD_MS } : key;
      if (type !== "delete" && isTracked(object) && jobOf(object) === undefined) yield `${ORPHAN_PREFIX}${keyOf(object)}`;
    }

    return controller<Observed, Action>({
      sources: [source(jobs, jobKeys), source(pods, podKeys)],
      observe,
      reconcile,
      execute: (decided, observed) => actions.execute(decided, observed),
    });
  },
};

function isManagedElsewhere({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== BUILT_IN_MANAGER;
}
