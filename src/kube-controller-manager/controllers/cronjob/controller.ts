import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import type { ObjectReference } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { referenceTo } from "#client/event-target.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { type Change, type ControllerDefinition, controller, type DelayedKey, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { addOwnershipIndexes, ownedBy } from "../../framework/ownership.ts";
import { CRON_JOBS, JOBS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile, scheduleOf } from "./reconcile.ts";
import { nextDueInMs } from "./schedule-times.ts";

/** The status while a pass changes it. */
interface StatusDraft {
  active: readonly ObjectReference[];
  lastScheduleTime: string | undefined;
  lastSuccessfulTime: string | undefined;
}

/** Starts Jobs by schedule. */
export const cronJobController: ControllerDefinition = {
  name: "cronjob-controller",
  create({ client, clock, recorder, informers }) {
    const cronJobs = informers.informer<CronJob>(CRON_JOBS);
    const jobs = informers.informer<Job>(JOBS);
    addOwnershipIndexes(jobs);
    const jobsWritten = new Expectations(clock);
    const statusWritten = new Expectations(clock);

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const cronJob = cronJobs.lister.get(namespace, name);
      if (cronJob === undefined) return undefined;
      const uid = cronJob.metadata.uid ?? "";
      const owned = ownedBy(jobs, uid);
      const isLive = (job: string): boolean =>
        owned.some(({ metadata }) => metadata.uid === job && metadata.deletionTimestamp === undefined);
      // What was written is on its way, and brings the key back.
      if (!jobsWritten.satisfied(uid, jobs.revision, isLive)) return undefined;
      if (!statusWritten.satisfied(uid, cronJobs.revision, () => false)) return undefined;
      return { cronJob, jobs: owned, nowMs: clock.now() };
    }

    async function execute(actions: readonly Action[], { cronJob }: Observed): Promise<void> {
      const { active = [], lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {};
      const draft: StatusDraft = { active, lastScheduleTime, lastSuccessfulTime };
      let failure: unknown;
      try {
        for (const action of actions) await executeOne(cronJob, action, draft);
      } catch (error) {
        failure = error;
      }
      await writeStatus(cronJob, draft);
      if (failure !== undefined) throw failure;
    }

    async function executeOne(cronJob: CronJob, action: Action, draft: StatusDraft): Promise<void> {
      const target = referenceTo("batch/v1", "CronJob", cronJob);
      const forget = (uid: string | undefined): void => {
        draft.active = draft.active.filter((reference) => reference.uid !== uid);
      };
      switch (action.type) {
        case "event":
          recorder.event(target, action.eventType, action.reason, action.message);
          return;
        case "forgetActive":
          return forget(action.uid);
        case "succeededAt":
          draft.lastSuccessfulTime = action.time;
          return;
        case "checkActive": {
          const { namespace = "", name = "", uid } = action.reference;
          if (await exists(namespace, name)) return;
          recorder.event(target, "Normal", "MissingJob", `Active job went missing: ${name}`);
          return forget(uid);
        }
        case "deleteJob":
          if (await deleteJob(cronJob, action)) forget(action.uid);
          return;
        case "createJob":
          return createJob(cronJob, action, draft);
      }
    }

    async function exists(namespace: string, name: string): Promise<boolean> {
      try {
        await client.get<Job>(JOBS, namespace, name);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    }

    async function deleteJob(cronJob: CronJob, { name, uid, blocks }: Action & { type: "deleteJob" }): Promise<boolean> {
      const { namespace = "" } = cronJob.metadata;
      const owner = cronJob.metadata.uid ?? "";
      const target = referenceTo("batch/v1", "CronJob", cronJob);
      jobsWritten.deleting(owner, uid);
      try {
        await client.delete(JOBS, namespace, name, { propagationPolicy: "Background", preconditions: { uid } });
      } catch (error) {
        jobsWritten.notDeleting(owner, uid);
        const message = error instanceof Error ? error.message : String(error);
        recorder.event(target, "Warning", "FailedDelete", `Deleted job: ${message}`);
        if (blocks) throw new Error(`could not replace job ${namespace}/${name}`, { cause: error });
        return false;
      }
      recorder.event(target, "Normal", "SuccessfulDelete", `Deleted job ${name}`);
      return true;
    }

    async function createJob(cronJob: CronJob, action: Action & { type: "createJob" }, draft: StatusDraft): Promise<void> {
      const { namespace = "", uid = "" } = cronJob.metadata;
      const target = referenceTo("batch/v1", "CronJob", cronJob);
      let job: Job;
      try {
        job = await client.create<Job>(JOBS, namespace, action.job);
        recorder.event(target, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
      } catch (error) {
        if (!isAlreadyExists(error)) {
          const message = error instanceof Error ? error.message : String(error);
          if (!isNamespaceTerminating(error)) recorder.event(target, "Warning", "FailedCreate", `Error creating job: ${message}`);
          throw error;
        }
        // Ours when its entry in the status was lost; else somebody else's business.
        job = await client.get<Job>(JOBS, namespace, action.job.metadata.name ?? "");
        if (controllerOf(job)?.uid !== uid || draft.active.some((reference) => reference.uid === job.metadata.uid)) return;
      }
      jobsWritten.wrote(uid, job.metadata.resourceVersion);
      draft.active = [...draft.active, referenceTo("batch/v1", "Job", job)];
      draft.lastScheduleTime = action.scheduleTime;
    }

    async function writeStatus(cronJob: CronJob, { active, lastScheduleTime, lastSuccessfulTime }: StatusDraft): Promise<void> {
      const status = {
        ...(active.length === 0 ? {} : { active }),
        ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
        ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
      };
      if (semanticEqual(cronJob.status ?? {}, status)) return;
      const { namespace = "", name = "", uid = "" } = cronJob.metadata;
      const written = await client.update<CronJob>(CRON_JOBS, namespace, name, { ...cronJob, status }, { subresource: "status" });
      statusWritten.wrote(uid, written.metadata.resourceVersion);
    }

    function* cronJobKeys({ type, old, object }: Change<CronJob>): Generator<string | DelayedKey> {
      const uid = object.metadata.uid ?? "";
      if (type === "delete") {
        jobsWritten.forget(uid);
        statusWritten.forget(uid);
        return;
      }
      const key = keyOf(object);
      const isMoved =
        old !== undefined && (old.spec.schedule !== object.spec.schedule || old.spec.timeZone !== object.spec.timeZone);
      const dueInMs = isMoved ? dueIn(object) : undefined;
      // A new schedule starts nothing that it would have started before.
      yield dueInMs === undefined ? key : { key, afterMs: dueInMs };
    }

    function dueIn(cronJob: CronJob): number | undefined {
      try {
        return nextDueInMs(cronJob, scheduleOf(cronJob), clock.now());
      } catch {
        // A schedule that cannot be read: the next pass says so.
        return undefined;
      }
    }

    return controller<Observed, Action>({
      sources: [
        source(cronJobs, cronJobKeys),
        source(jobs, ({ object }) => {
          const reference = controllerOf(object);
          return reference?.kind === "CronJob" ? [objectKey(object.metadata.namespace ?? "", reference.name)] : [];
        }),
      ],
      observe,
      reconcile,
      execute,
    });
  },
};
