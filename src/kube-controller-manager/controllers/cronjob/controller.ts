import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import { keyOf, objectKey, splitKey } from "#client/object-meta.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import { type Change, type ControllerDefinition, controller, type DelayedKey, source } from "../../framework/controller.ts";
import { Expectations } from "../../framework/expectations.ts";
import { addOwnershipIndexes, ownedBy } from "../../framework/ownership.ts";
import { CRON_JOBS, JOBS } from "../../framework/resources.ts";
import { CronJobActions } from "./cron-job-actions.ts";
import { type Action, type Observed, reconcile, scheduleOf } from "./reconcile.ts";
import { nextDueInMs } from "./schedule-times.ts";

/** Starts Jobs by schedule. */
export const cronJobController: ControllerDefinition = {
  name: "cronjob-controller",
  create({ client, clock, recorder, informers }) {
    const cronJobs = informers.informer<CronJob>(CRON_JOBS);
    const jobs = informers.informer<Job>(JOBS);
    addOwnershipIndexes(jobs);
    const jobsWritten = new Expectations(clock);
    const statusWritten = new Expectations(clock);
    const actions = new CronJobActions({ client, recorder, jobsWritten, statusWritten });

    function observe(key: string): Observed | undefined {
      const { namespace, name } = splitKey(key);
      const cronJob = cronJobs.lister.get(namespace, name);
      if (cronJob === undefined) return undefined;
      const uid = cronJob.metadata.uid ?? "";
      const owned = ownedBy(jobs, uid);
      // What was written is on its way, and brings the key back.
      if (!jobsWritten.satisfied(uid, jobs)) return undefined;
      if (!statusWritten.satisfied(uid, cronJobs)) return undefined;
      return { cronJob, jobs: owned, nowMs: clock.now() };
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
      execute: (decided, observed) => actions.execute(decided, observed),
    });
  },
};
