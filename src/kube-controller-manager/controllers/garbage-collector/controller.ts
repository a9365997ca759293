import { type ControllerDefinition, controller } from "../../framework/controller.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { type Action, type Observed, reconcile } from "./reconcile.ts";

/** Deletes objects whose owners are gone; carries out foreground deletion and orphaning. */
export const garbageCollectorController: ControllerDefinition = {
  name: "garbage-collector-controller",
  workers: 20,
  create(context) {
    const collector = new GarbageCollector(context);
    return controller<Observed, Action>({
      sources: [],
      start: (enqueue) => collector.run(enqueue),
      observe: (key) => collector.observe(key),
      reconcile,
      execute: (actions) => collector.execute(actions),
    });
  },
};
