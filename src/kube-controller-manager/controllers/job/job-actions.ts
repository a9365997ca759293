import type { Job, JobStatus } from "#api/generated/batch/v1.ts";
import type { Pod } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import type { Client } from "#client/client.ts";
import type { EventRecorder } from "#client/event-recorder.ts";
import { referenceTo } from "#client/event-target.ts";
import { isPodReady } from "#component-helpers/pod/pod-conditions.ts";
import type { Expectations } from "../../framework/expectations.ts";
import { JOB } from "../../framework/owner-kinds.ts";
import { writeClaims } from "../../framework/ownership.ts";
import type { PodControl } from "../../framework/pod-control.ts";
import { JOBS, PODS } from "../../framework/resources.ts";
import { slowStartBatch } from "../../framework/slow-start.ts";
import type { BackoffRecord } from "./backoff.ts";
import { conclude, type StepOutcome, settle } from "./conclude.ts";
import { isJobFinished } from "./conditions.ts";
import type { CountedPods } from "./counted-pods.ts";
import type { JobContext } from "./job-context.ts";
import { TRACKING_FINALIZER } from "./job-pods.ts";
import type { ManageStep } from "./manage.ts";
import { newJobPod } from "./new-pods.ts";
import type { Action, Observed } from "./reconcile.ts";

/** What {@link JobActions} works with. */
export interface JobActionsOptions {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly podControl: PodControl;
  /** Of Jobs, by their uid. */
  readonly written: Expectations;
  /** By Job uid. */
  readonly backoffs: Map<string, BackoffRecord>;
  readonly counted: CountedPods;
}

/** Carries out what `reconcile` decided about Jobs, and tells users of it. */
export class JobActions {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #podControl: PodControl;
  readonly #written: Expectations;
  readonly #backoffs: Map<string, BackoffRecord>;
  readonly #counted: CountedPods;

  constructor(options: JobActionsOptions) {
    this.#client = options.client;
    this.#recorder = options.recorder;
    this.#podControl = options.podControl;
    this.#written = options.written;
    this.#backoffs = options.backoffs;
    this.#counted = options.counted;
  }

  /** Does them in order; what fails is thrown. */
  async execute(actions: readonly Action[], observed: Observed): Promise<void> {
    for (const action of actions) {
      if (action.type === "letGo") await this.#removeFinalizer(action.pod);
      if (observed.type === "orphan") continue;
      const { job } = observed;
      if (action.type === "claim") {
        await writeClaims(this.#client, JOB, job, PODS, action, TRACKING_FINALIZER);
      }
      if (action.type === "complainOfMode") {
        const message = "Skipped Job sync because completion mode is unknown";
        this.#recorder.event(targetOf(job), "Warning", "UnknownCompletionMode", message);
      }
      if (action.type === "sync") await this.#sync(action.context, action.step, action.managed);
    }
  }

  async #sync(jobContext: JobContext, step: ManageStep, managed: boolean): Promise<void> {
    const { job } = jobContext;
    const uid = job.metadata.uid ?? "";
    const { outcome, failure } = await this.#perform(jobContext, step, managed);
    const { status, flush, removeFinalizers, tracked, finish, event } = conclude(jobContext, outcome);
    if (event !== undefined) this.#recorder.event(targetOf(job), "Normal", event.reason, event.message);
    let current = job;
    if (flush) {
      current = await this.#writeStatus(job, status);
      this.#backoffs.set(uid, jobContext.newBackoff);
    }
    const results = await Promise.allSettled(removeFinalizers.map((pod) => this.#removeFinalizer(pod)));
    const gone = new Set(
      removeFinalizers.filter((_, index) => results[index]?.status === "fulfilled").map(({ metadata }) => metadata.uid ?? ""),
    );
    this.#counted.add(uid, gone);
    const lost = results.find((result) => result.status === "rejected");
    const left = new Set([...tracked].filter((podUid) => !gone.has(podUid)));
    const final = structuredClone(status);
    if (settle(final, left, lost === undefined ? finish : undefined)) {
      const ended = await this.#writeStatus(current, final);
      if (isJobFinished(ended)) this.#announceEnd(ended);
    }
    if (lost !== undefined) throw lost.reason;
    if (failure !== undefined) throw failure;
  }

  async #perform(
    { job, retained }: JobContext,
    step: ManageStep,
    managed: boolean,
  ): Promise<{ outcome: StepOutcome; failure: unknown }> {
    const owner = { ...JOB, object: job };
    let created = 0;
    let deleted = 0;
    let deletedReady = 0;
    let failure: unknown;
    if (step.type === "create") {
      const indexes = step.indexes.values();
      const batch = await slowStartBatch(step.indexes.length, async () => {
        const index = indexes.next().value;
        const pod = newJobPod(job, index, index === undefined ? undefined : retained.get(index));
        await this.#podControl.create(owner, pod);
      });
      created = batch.successes;
      failure = batch.error;
    }
    if (step.type === "delete") {
      const results = await Promise.allSettled(
        step.pods.map(async (pod) => {
          if (step.uncounted) await this.#removeFinalizer(pod);
          if (!(await this.#podControl.delete(owner, pod))) return;
          deleted++;
          if (isPodReady(pod)) deletedReady++;
        }),
      );
      failure = results.find((result) => result.status === "rejected")?.reason;
    }
    return { outcome: { created, deleted, deletedReady, managed }, failure };
  }

  async #writeStatus(job: Job, status: Draft<JobStatus>): Promise<Job> {
    const { namespace = "", name = "", uid = "" } = job.metadata;
    const updated = await this.#client.update<Job>(JOBS, namespace, name, { ...job, status }, { subresource: "status" });
    this.#written.wrote(uid, updated.metadata.resourceVersion);
    return updated;
  }

  async #removeFinalizer({ metadata }: Pod): Promise<void> {
    if (!metadata.finalizers?.includes(TRACKING_FINALIZER)) return;
    const patch = { metadata: { uid: metadata.uid, "$deleteFromPrimitiveList/finalizers": [TRACKING_FINALIZER] } };
    const { namespace = "", name = "" } = metadata;
    try {
      await this.#client.patch(PODS, namespace, name, "application/strategic-merge-patch+json", patch);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #announceEnd(job: Job): void {
    const { completions } = job.spec;
    const failed = job.status?.conditions?.find(({ type, status }) => type === "Failed" && status === "True");
    if (failed !== undefined) {
      this.#recorder.event(targetOf(job), "Warning", failed.reason ?? "", failed.message ?? "");
      return;
    }
    if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
      const message = "Too many succeeded pods running after completion count reached";
      this.#recorder.event(targetOf(job), "Warning", "TooManySucceededPods", message);
    }
    this.#recorder.event(targetOf(job), "Normal", "Completed", "Job completed");
  }
}

function targetOf(job: Job): ReturnType<typeof referenceTo> {
  return referenceTo(JOB.apiVersion, JOB.kind, job);
}
