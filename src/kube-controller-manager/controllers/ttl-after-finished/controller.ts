import type { Job } from "#api/generated/batch/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { keyOf, splitKey } from "#client/object-meta.ts";
import { type ControllerDefinition, controller, source } from "../../framework/controller.ts";
import { JOBS } from "../../framework/resources.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Removes finished Jobs that ask for it. */
export const ttlAfterFinishedController: ControllerDefinition = {
  name: "ttl-after-finished-controller",
  create({ client, clock, informers }) {
    const jobs = informers.informer<Job>(JOBS);
    return controller<Observed, Action>({
      sources: [
        source(jobs, ({ type, object }) =>
          type === "delete" || object.spec.ttlSecondsAfterFinished === undefined ? [] : [keyOf(object)],
        ),
      ],
      observe(key) {
        const { namespace, name } = splitKey(key);
        const job = jobs.lister.get(namespace, name);
        return job === undefined ? undefined : { job, nowMs: clock.now() };
      },
      reconcile,
      async execute(actions) {
        for (const { job } of actions) {
          const { namespace = "", name = "", uid = "" } = job.metadata;
          try {
            await client.delete(JOBS, namespace, name, { propagationPolicy: "Foreground", preconditions: { uid } });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        }
      },
    });
  },
};
