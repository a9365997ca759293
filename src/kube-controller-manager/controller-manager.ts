import { setMaxListeners } from "node:events";
import type { Clock } from "#base/clock.ts";
import { isDefect } from "#base/defect.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { createEventRecorder } from "#client/event-recorder.ts";
import { SharedInformerFactory } from "#client/informer.ts";
import type { Logger } from "#component-base/logging.ts";
import { controllers as allControllers } from "./controllers.ts";
import { DEFAULT_WORKERS, type LoopObserver, runControlLoop } from "./framework/control-loop.ts";
import type { ControllerDefinition, ControllerOptions } from "./framework/controller.ts";

/** Options of {@link startControllerManager}. */
export interface ControllerManagerOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  /** Ends the controller manager, as {@link ControllerManager.stop} does. */
  readonly signal: AbortSignal;
  /** Which controllers run; all that there are when absent. */
  readonly controllers?: readonly ControllerDefinition[];
  readonly options?: ControllerOptions;
  /** What a controller acts by, where each has an account of its own; informers stay on `client`. */
  readonly clientFor?: (controller: string) => Client;
  /** Keys worked on at the same time, by controller, where not its own number. */
  readonly workers?: Readonly<Record<string, number>>;
  readonly observer?: LoopObserver;
  /** Told of failures that last, and of lost events. */
  readonly logger?: Logger;
  /** Deep-freeze what informers hold; see `InformerFactoryOptions.freeze`. */
  readonly freeze?: boolean;
  readonly onInformerError?: (resource: string, error: unknown) => void;
}

/** The controllers at work. */
export interface ControllerManager {
  /** Names of the controllers that run. */
  readonly running: readonly string[];
  /** Whether every controller has seen the cluster once. */
  healthy(): boolean;
  /** Resolves when every controller has seen the cluster once. */
  readonly synced: Promise<void>;
  /** Resolves when nothing of it runs any more; events are written before. */
  stop(): Promise<void>;
}

/** Starts the controllers on one set of informers. Resolves as soon as they run; see `synced`. */
export async function startControllerManager(manager: ControllerManagerOptions): Promise<ControllerManager> {
  const { client, clock, random, options = {}, logger, freeze, onInformerError } = manager;
  const stopping = new AbortController();
  const signal = AbortSignal.any([manager.signal, stopping.signal]);
  // Every loop and every watch listens.
  setMaxListeners(0, signal);
  const observer = observing(manager.observer, logger);
  const informers = new SharedInformerFactory({
    client,
    clock,
    random,
    ...(freeze === undefined ? {} : { freeze }),
    ...(onInformerError === undefined ? {} : { onError: (id, error) => onInformerError(id.resource, error) }),
  });
  const running: string[] = [];
  const flushes: (() => Promise<void>)[] = [];
  const loops: Promise<void>[] = [];
  for (const definition of manager.controllers ?? allControllers) {
    const own = manager.clientFor?.(definition.name) ?? client;
    const recorder = createEventRecorder({
      client: own,
      clock,
      random,
      component: definition.eventSource ?? definition.name,
      api: "core",
      ...(logger === undefined ? {} : { logger }),
    });
    const instance = definition.create({ client: own, clock, random, informers, recorder, options, signal });
    if (instance === undefined) continue;
    running.push(definition.name);
    flushes.push(() => recorder.flush());
    const { name } = definition;
    const workers = manager.workers?.[name] ?? definition.workers ?? DEFAULT_WORKERS;
    loops.push(runControlLoop(instance, { name, workers, clock, signal, observer }));
  }
  informers.start(signal);
  let isSynced = false;
  const synced = informers.waitForSync().then(() => {
    isSynced = true;
  });
  return {
    running,
    synced,
    healthy: () => isSynced,
    async stop() {
      stopping.abort(new Error("the controller manager stops"));
      await Promise.all([...loops, informers.ended()]);
      await Promise.all(flushes.map((flush) => flush()));
    },
  };
}

/** Attempts after which a failure is no passing matter. */
const NOTABLE_ATTEMPTS = 5;

function observing(observer: LoopObserver | undefined, logger: Logger | undefined): LoopObserver {
  return {
    synced(controller, key, durationMs, attempt, error) {
      observer?.synced(controller, key, durationMs, attempt, error);
      if (error === undefined) return;
      const fields = { controller, key, attempt, err: error };
      if (isDefect(error)) logger?.error(fields, "a controller has failed by a mistake of the program's, and will try again");
      else if (attempt < NOTABLE_ATTEMPTS) logger?.debug(fields, "a controller will try again");
      else logger?.warn(fields, "a controller fails again and again");
    },
  };
}
