import type { CronJob, Job } from "#api/generated/batch/v1.ts";
import type { ObjectReference } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { controllerOf } from "#component-helpers/pod/owner.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { isNamespaceTerminating } from "../../framework/namespace-terminating.ts";
import { CRON_JOBS, JOBS } from "../../framework/resources.ts";
import type { Action, Observed } from "./reconcile.ts";

/** The status while a pass changes it. */
interface StatusDraft {
  active: readonly ObjectReference[];
  lastScheduleTime: string | undefined;
  lastSuccessfulTime: string | undefined;
}

/** What {@link CronJobActions} works with. */
export interface CronJobActionsOptions {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly jobsWritten: Expectations;
  readonly statusWritten: Expectations;
}

/** Carries out what `reconcile` decided about CronJobs, and tells users of it. */
export class CronJobActions {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #jobsWritten: Expectations;
  readonly #statusWritten: Expectations;

  constructor(options: CronJobActionsOptions) {
    this.#client = options.client;
    this.#recorder = options.recorder;
    this.#jobsWritten = options.jobsWritten;
    this.#statusWritten = options.statusWritten;
  }

  /** Does them until one fails; the status is written in any case, then the failure is thrown. */
  async execute(actions: readonly Action[], { cronJob }: Observed): Promise<void> {
    const { active = [], lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {};
    const draft: StatusDraft = { active, lastScheduleTime, lastSuccessfulTime };
    let failure: unknown;
    try {
      for (const action of actions) await this.#executeOne(cronJob, action, draft);
    } catch (error) {
      failure = error;
    }
    await this.#writeStatus(cronJob, draft);
    if (failure !== undefined) throw failure;
  }

  async #executeOne(cronJob: CronJob, action: Action, draft: StatusDraft): Promise<void> {
    const target = referenceTo("batch/v1", "CronJob", cronJob);
    const forget = (uid: string | undefined): void => {
      draft.active = draft.active.filter((reference) => reference.uid !== uid);
    };
    switch (action.type) {
      case "event":
        this.#recorder.event(target, action.eventType, action.reason, action.message);
        return;
      case "forgetActive":
        return forget(action.uid);
      case "succeededAt":
        draft.lastSuccessfulTime = action.time;
        return;
      case "checkActive": {
        const { namespace = "", name = "", uid } = action.reference;
        if (await this.#exists(namespace, name)) return;
        this.#recorder.event(target, "Normal", "MissingJob", `Active job went missing: ${name}`);
        return forget(uid);
      }
      case "deleteJob":
        if (await this.#deleteJob(cronJob, action)) forget(action.uid);
        return;
      case "createJob":
        return this.#createJob(cronJob, action, draft);
    }
  }

  async #exists(namespace: string, name: string): Promise<boolean> {
    try {
      await this.#client.get<Job>(JOBS, namespace, name);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #deleteJob(cronJob: CronJob, { name, uid, blocks }: Action & { type: "deleteJob" }): Promise<boolean> {
    const { namespace = "" } = cronJob.metadata;
    const owner = cronJob.metadata.uid ?? "";
    const target = referenceTo("batch/v1", "CronJob", cronJob);
    const job = { metadata: { namespace, name, uid } };
    this.#jobsWritten.deleting(owner, job);
    try {
      await this.#client.delete(JOBS, namespace, name, { propagationPolicy: "Background", preconditions: { uid } });
    } catch (error) {
      this.#jobsWritten.notDeleting(owner, job);
      const message = error instanceof Error ? error.message : String(error);
      this.#recorder.event(target, "Warning", "FailedDelete", `Deleted job: ${message}`);
      if (blocks) throw new Error(`could not replace job ${namespace}/${name}`, { cause: error });
      return false;
    }
    this.#recorder.event(target, "Normal", "SuccessfulDelete", `Deleted job ${name}`);
    return true;
  }

  async #createJob(cronJob: CronJob, action: Action & { type: "createJob" }, draft: StatusDraft): Promise<void> {
    const { namespace = "", uid = "" } = cronJob.metadata;
    const target = referenceTo("batch/v1", "CronJob", cronJob);
    let job: Job;
    try {
      job = await this.#client.create<Job>(JOBS, namespace, action.job);
      this.#recorder.event(target, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name}`);
    } catch (error) {
      if (!isAlreadyExists(error)) {
        const message = error instanceof Error ? error.message : String(error);
        if (!isNamespaceTerminating(error))
          this.#recorder.event(target, "Warning", "FailedCreate", `Error creating job: ${message}`);
        throw error;
      }
      // Ours when its entry in the status was lost; else somebody else's business.
      job = await this.#client.get<Job>(JOBS, namespace, action.job.metadata.name ?? "");
      if (controllerOf(job)?.uid !== uid || draft.active.some((reference) => reference.uid === job.metadata.uid)) return;
    }
    this.#jobsWritten.wrote(uid, job.metadata.resourceVersion);
    draft.active = [...draft.active, referenceTo("batch/v1", "Job", job)];
    draft.lastScheduleTime = action.scheduleTime;
  }

  async #writeStatus(cronJob: CronJob, { active, lastScheduleTime, lastSuccessfulTime }: StatusDraft): Promise<void> {
    const status = {
      ...(active.length === 0 ? {} : { active }),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime }),
    };
    if (semanticEqual(cronJob.status ?? {}, status)) return;
    const { namespace = "", name = "", uid = "" } = cronJob.metadata;
    const written = await this.#client.update<CronJob>(
      CRON_JOBS,
      namespace,
      name,
      { ...cronJob, status },
      { subresource: "status" },
    );
    this.#statusWritten.wrote(uid, written.metadata.resourceVersion);
  }
}
