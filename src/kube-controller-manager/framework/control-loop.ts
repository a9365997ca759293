import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Clock } from "#base/clock.ts";
import { noteDefect } from "#base/defect.ts";
import { RateLimitingQueue } from "#client/work-queue.ts";
import type { AnyController, Change, ControllerInstance, RequeueAction } from "./controller.ts";

/** What a loop tells about itself, for metrics and logs. */
export interface LoopObserver {
  /** One key was worked on. `attempt` counts from 1; `error` is undefined after success. */
  synced(controller: string, key: string, durationMs: number, attempt: number, error: unknown): void;
}

/** Options of {@link runControlLoop}. */
export interface ControlLoopOptions {
  readonly name: string;
  readonly workers: number;
  readonly clock: Clock;
  readonly observer?: LoopObserver;
  readonly signal: AbortSignal;
}

/** Keys in work at the same time when a definition does not say. Upstream's usual number. */
export const DEFAULT_WORKERS = 5;

type Instance = ControllerInstance<unknown, { readonly type: string }>;

/**
 * Runs a controller until the signal is aborted: changes become keys, keys are worked on by a few workers, failures come
 * back after 5 ms to 1000 s. The one place where queues, retries and observation stand. Never rejects.
 */
export async function runControlLoop(instance: AnyController, options: ControlLoopOptions): Promise<void> {
  const { sources, alsoAwait = [] } = instance as unknown as Instance;
  const queue = new RateLimitingQueue({ clock: options.clock });
  const remove = sources.map(({ informer, keys }) => {
    const tell = (change: Change<object>): void => {
      for (const key of keys(change)) {
        if (typeof key === "string") queue.add(key);
        else queue.addAfter(key.key, key.afterMs);
      }
    };
    return informer.addHandler({
      onAdd: (object) => tell({ type: "add", object }),
      onUpdate: (old, object) => tell({ type: "update", old, object }),
      onDelete: (object) => tell({ type: "delete", object }),
    });
  });
  const stop = (): void => {
    for (const removeHandler of remove) removeHandler();
    queue.shutDown();
  };
  if (options.signal.aborted) return stop();
  options.signal.addEventListener("abort", stop, { once: true });
  const informers = [...sources.map(({ informer }) => informer), ...alsoAwait];
  await Promise.race([Promise.all(informers.map((informer) => informer.waitForSync())), aborted(options.signal)]);
  if (options.signal.aborted) return;
  const started = (instance as unknown as Instance).start?.((key, afterMs = 0) => queue.addAfter(key, afterMs));
  const worker = (): Promise<void> => work(instance as unknown as Instance, queue, options);
  await Promise.all(Array.from({ length: options.workers }, worker));
  await started;
}

async function work(instance: Instance, queue: RateLimitingQueue, options: ControlLoopOptions): Promise<void> {
  const { name, clock, observer } = options;
  for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
    const startedMs = clock.elapsed();
    const attempt = queue.failures(key) + 1;
    let error: unknown;
    try {
      const afterMs = await syncOnce(instance, key);
      queue.forget(key);
      if (afterMs !== undefined) queue.addAfter(key, afterMs);
    } catch (failure) {
      error = failure;
      noteDefect(name, failure);
      queue.addRateLimited(key);
    }
    queue.done(key);
    // A write that lost a race is how optimistic concurrency works, not worth a word.
    const lostRace = error instanceof StatusError && error.reason === "Conflict";
    observer?.synced(name, key, clock.elapsed() - startedMs, attempt, lostRace ? undefined : error);
  }
}

/** Returns after how long the key wants to be looked at again. */
async function syncOnce(instance: Instance, key: string): Promise<number | undefined> {
  const observed = await instance.observe(key);
  if (observed === undefined) return undefined;
  const decided = instance.reconcile(observed);
  let afterMs: number | undefined;
  const actions: { readonly type: string }[] = [];
  for (const action of decided) {
    if (action.type !== "requeue") actions.push(action);
    else afterMs = Math.min(afterMs ?? Number.POSITIVE_INFINITY, (action as RequeueAction).afterMs);
  }
  if (actions.length > 0) await instance.execute(actions, observed);
  return afterMs;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
