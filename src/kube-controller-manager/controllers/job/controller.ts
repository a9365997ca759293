import type { Job, JobStatus } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { controllerOf, controllerReference } from "#component-helpers/pod/owner.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import { type Change, type ControllerDefinition, controller, type DelayedKey, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { ownerKeys } from "../../framework/owner-keys.ts";
import { addOwnershipIndexes, claim, orphansIn, ownedBy, writeClaims } from "../../framework/ownership.ts";
import { PodControl } from "../../framework/pod-control.ts";
import { JOBS, PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import { type BackoffRecord, NO_BACKOFF } from "./backoff.ts";
import { conclude, type StepOutcome, settle } from "./conclude.ts";
import { isJobFinished } from "./conditions.ts";
import type { JobContext } from "./job-context.ts";
import { isTracked, TRACKING_FINALIZER } from "./job-pods.ts";
import type { ManageStep } from "./manage.ts";
import { newJobPod } from "./new-pods.ts";
import { type Action, type Observed, type ObservedOrphan, reconcile } from "./reconcile.ts";

/** Changes of pods are gathered for this long: a Job's status is not worth a write per pod. Upstream's `SyncJobBatchPeriod`. */
export const BATCH_PERIOD_MS = 1000;
/** Keys of pods that no Job counts, beside those of Jobs; no name holds a colon. */
const ORPHAN_PREFIX = "orphan:";
const BUILT_IN_MANAGER = "kubernetes.io/job-controller";
const KIND = { id: JOBS, apiVersion: "batch/v1", kind: "Job" } as const;

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
    /** By Job uid: pods whose finalizer was taken away. */
    const countedByJob = new Map<string, Set<string>>();

    function observe(key: string): Observed | undefined {
      if (key.startsWith(ORPHAN_PREFIX)) return observeOrphan(key.slice(ORPHAN_PREFIX.length));
      const { namespace, name } = splitKey(key);
      const job = jobs.lister.get(namespace, name);
      if (job === undefined || isManagedElsewhere(job)) return undefined;
      const uid = job.metadata.uid ?? "";
      // A decision on an old status would count pods twice; the new one is on its way and brings the key back.
      if (!written.satisfied(uid, jobs.revision, () => false)) return undefined;
      const owned = ownedBy(pods, uid);
      const claims = claim(job, labelSelectorFromObject(job.spec.selector ?? {}), [...owned, ...orphansIn(pods, namespace)]);
      return {
        type: "job",
        job,
        pods: claims.keep,
        adopt: claims.adopt,
        release: claims.release,
        mayManage: podControl.isSettled(uid, pods.revision, owned),
        counted: stillCounted(uid, owned),
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

    function stillCounted(uid: string, owned: readonly Pod[]): ReadonlySet<string> {
      const before = countedByJob.get(uid);
      const now = new Set<string>();
      for (const pod of before === undefined ? [] : owned) {
        const podUid = pod.metadata.uid ?? "";
        if (before?.has(podUid) && isTracked(pod)) now.add(podUid);
      }
      if (now.size > 0) countedByJob.set(uid, now);
      else countedByJob.delete(uid);
      return now;
    }

    function jobOf(pod: Pod): Job | undefined {
      const reference = controllerOf(pod);
      if (reference?.kind !== KIND.kind) return undefined;
      const job = jobs.lister.get(pod.metadata.namespace ?? "", reference.name);
      return job?.metadata.uid === reference.uid ? job : undefined;
    }

    async function execute(actions: readonly Action[], observed: Observed): Promise<void> {
      for (const action of actions) {
        if (action.type === "letGo") await removeFinalizer(action.pod);
        if (observed.type === "orphan") continue;
        const { job } = observed;
        if (action.type === "claim") {
          await writeClaims(
            client,
            KIND,
            job,
            PODS,
            action,
            controllerReference(KIND.apiVersion, KIND.kind, job),
            TRACKING_FINALIZER,
          );
        }
        if (action.type === "complainOfMode") {
          const message = "Skipped Job sync because completion mode is unknown";
          recorder.event(targetOf(job), "Warning", "UnknownCompletionMode", message);
        }
        if (action.type === "sync") await sync(action.context, action.step, action.managed);
      }
    }

    async function sync(jobContext: JobContext, step: ManageStep, managed: boolean): Promise<void> {
      const { job } = jobContext;
      const uid = job.metadata.uid ?? "";
      const { outcome, failure } = await perform(jobContext, step, managed);
      const { status, flush, removeFinalizers, tracked, finish, event } = conclude(jobContext, outcome);
      if (event !== undefined) recorder.event(targetOf(job), "Normal", event.reason, event.message);
      let current = job;
      if (flush) {
        current = await writeStatus(job, status);
        backoffs.set(uid, jobContext.newBackoff);
      }
      const results = await Promise.allSettled(removeFinalizers.map(removeFinalizer));
      const gone = new Set(
        removeFinalizers.filter((_, index) => results[index]?.status === "fulfilled").map(({ metadata }) => metadata.uid ?? ""),
      );
      if (gone.size > 0) countedByJob.set(uid, new Set([...(countedByJob.get(uid) ?? []), ...gone]));
      const lost = results.find((result) => result.status === "rejected");
      const left = new Set([...tracked].filter((podUid) => !gone.has(podUid)));
      const final = structuredClone(status);
      if (settle(final, left, lost === undefined ? finish : undefined)) {
        const ended = await writeStatus(current, final);
        if (isJobFinished(ended)) announceEnd(ended);
      }
      if (lost !== undefined) throw lost.reason;
      if (failure !== undefined) throw failure;
    }

    async function perform(
      { job, retained }: JobContext,
      step: ManageStep,
      managed: boolean,
    ): Promise<{ outcome: StepOutcome; failure: unknown }> {
      const owner = { ...KIND, object: job };
      let created = 0;
      let deleted = 0;
      let deletedReady = 0;
      let failure: unknown;
      if (step.type === "create") {
        const indexes = step.indexes.values();
        const batch = await slowStartBatch(step.indexes.length, async () => {
          const index = indexes.next().value;
          const pod = newJobPod(job, index, index === undefined ? undefined : retained.get(index));
          await podControl.create(owner, pod);
        });
        created = batch.successes;
        failure = batch.error;
      }
      if (step.type === "delete") {
        const results = await Promise.allSettled(
          step.pods.map(async (pod) => {
            if (step.uncounted) await removeFinalizer(pod);
            if (!(await podControl.delete(owner, pod))) return;
            deleted++;
            if (isPodReady(pod)) deletedReady++;
          }),
        );
        failure = results.find((result) => result.status === "rejected")?.reason;
      }
      return { outcome: { created, deleted, deletedReady, managed }, failure };
    }

    async function writeStatus(job: Job, status: Draft<JobStatus>): Promise<Job> {
      const { namespace = "", name = "", uid = "" } = job.metadata;
      const updated = await client.update<Job>(JOBS, namespace, name, { ...job, status }, { subresource: "status" });
      written.wrote(uid, updated.metadata.resourceVersion);
      return updated;
    }

    async function removeFinalizer({ metadata }: Pod): Promise<void> {
      if (!metadata.finalizers?.includes(TRACKING_FINALIZER)) return;
      const patch = { metadata: { uid: metadata.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } };
      const { namespace = "", name = "" } = metadata;
      try {
        await client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }

    function announceEnd(job: Job): void {
      const { completions } = job.spec;
      const failed = job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
      if (failed !== undefined) {
        recorder.event(targetOf(job), "Warning", failed.reason ?? "", failed.message ?? "");
        return;
      }
      if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
        const message = "Too many succeeded pods running after completion count reached";
        recorder.event(targetOf(job), "Warning", "TooManySucceededPods", message);
      }
      recorder.event(targetOf(job), "Normal", "Completed", "Job completed");
    }

    function* jobKeys({ type, old, object }: Change<Job>): Generator<string | DelayedKey> {
      const uid = object.metadata.uid ?? "";
      if (type === "delete") {
        podControl.forget(uid);
        written.forget(uid);
        backoffs.delete(uid);
        countedByJob.delete(uid);
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
      kind: KIND,
      informer: jobs,
      selectorOf: ({ spec }) => labelSelectorFromObject(spec.selector ?? {}),
    });

    function* podKeys(change: Change<Pod>): Generator<string | DelayedKey> {
      const { type, object } = change;
      const owned = controllerOf(object) !== undefined;
      for (const key of jobKeysOfPod(change)) yield owned ? { key, afterMs: BATCH_PERIOD_MS } : key;
      if (type !== "delete" && isTracked(object) && jobOf(object) === undefined) yield `${ORPHAN_PREFIX}${keyOf(object)}`;
    }

    return controller<Observed, Action>({ sources: [source(jobs, jobKeys), source(pods, podKeys)], observe, reconcile, execute });
  },
};

function isManagedElsewhere({ spec }: Job): boolean {
  return spec.managedBy !== undefined && spec.managedBy !== BUILT_IN_MANAGER;
}

function targetOf(job: Job): ReturnType<typeof referenceTo> {
  return referenceTo(KIND.apiVersion, KIND.kind, job);
}
