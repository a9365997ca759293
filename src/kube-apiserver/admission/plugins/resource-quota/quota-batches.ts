import type { ResourceQuota } from "#api/generated/core/v1.ts";
import { conflict } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Clock } from "#base/clock.ts";
import { quotaEvaluatorFor } from "#component-helpers/quota/evaluators.ts";
import { equalLists } from "#component-helpers/quota/resource-list.ts";
import { checkRequest, type RunningQuota, runningQuota } from "./check-request.ts";
import type { LimitedResource } from "./limited-resources.ts";

/** Where quotas are read and charged. */
export interface QuotaAccess {
  /** Not older than the last charge that was made here. */
  list(namespace: string): readonly ResourceQuota[];
  /** Writes what is used; false when somebody else has changed or removed the quota since it was read. */
  charge(running: RunningQuota): Promise<boolean>;
}

/** How often a request is judged again when others charge the same quotas: other servers, and the controller. */
const ATTEMPTS_MAX = 4;

interface Waiter {
  readonly attributes: AdmissionAttributes;
  /** Settled already, by refusal or for having nothing to charge. */
  done: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Judges a namespace's requests one batch after the other, so that none passes by a state that another changes, and writes
 * each quota once for a whole batch: what comes during a write waits for the next.
 */
export class QuotaBatches {
  readonly #access: QuotaAccess;
  readonly #clock: Clock;
  readonly #limited: readonly LimitedResource[];
  /** By namespace; present while a batch is being judged. */
  readonly #waiting = new Map<string, Waiter[]>();

  constructor(access: QuotaAccess, clock: Clock, limited: readonly LimitedResource[] = []) {
    this.#access = access;
    this.#clock = clock;
    this.#limited = limited;
  }

  /** Resolves when the request is charged, or needs no charge. Throws the refusal. */
  async admit(attributes: AdmissionAttributes): Promise<void> {
    const { namespace } = attributes;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = { attributes, done: false, resolve, reject };
      const queue = this.#waiting.get(namespace);
      if (queue !== undefined) queue.push(waiter);
      else void this.#run(namespace, waiter);
    });
  }

  /** Never rejects. */
  async #run(namespace: string, first: Waiter): Promise<void> {
    let batch = [first];
    while (batch.length > 0) {
      this.#waiting.set(namespace, []);
      try {
        await this.#judge(namespace, batch);
      } catch (error) {
        settle(batch, error);
      }
      batch = this.#waiting.get(namespace) ?? [];
    }
    this.#waiting.delete(namespace);
  }

  async #judge(namespace: string, batch: readonly Waiter[]): Promise<void> {
    let quotas = this.#access.list(namespace);
    for (let attempt = 1; ; attempt++) {
      const charges = this.#apply(batch, quotas.map(runningQuota));
      const lost = await this.#charge(charges);
      if (lost.size === 0) return settle(batch, undefined);
      if (attempt >= ATTEMPTS_MAX) return settle(batch, tooManyChanges([...lost][0] ?? ""));
      // The others have their charge; who is gone asks for nothing any more.
      quotas = this.#access.list(namespace).filter(({ metadata }) => lost.has(metadata?.name ?? ""));
    }
  }

  /** Lets the batch through one by one; returns the quotas that rose. */
  #apply(batch: readonly Waiter[], before: readonly RunningQuota[]): RunningQuota[] {
    let quotas = before;
    const nowMs = this.#clock.now();
    for (const waiter of batch) {
      if (waiter.done) continue;
      const { attributes } = waiter;
      const evaluator = quotaEvaluatorFor(attributes.group, attributes.resource);
      const result = checkRequest(quotas, attributes, evaluator, nowMs, this.#limited);
      if (result instanceof StatusError) finish(waiter, result);
      else if (attributes.dryRun || result.every((running, i) => running === quotas[i])) finish(waiter, undefined);
      else quotas = result;
    }
    return quotas.filter(({ used }, i) => !equalLists(used, before[i]?.used ?? new Map()));
  }

  /** The names of those that could not be charged. */
  async #charge(charges: readonly RunningQuota[]): Promise<ReadonlySet<string>> {
    const lost = new Set<string>();
    for (const running of charges) {
      if (!(await this.#access.charge(running))) lost.add(running.quota.metadata?.name ?? "");
    }
    return lost;
  }
}

function settle(batch: readonly Waiter[], refusal: unknown): void {
  for (const waiter of batch) if (!waiter.done) finish(waiter, refusal);
}

function finish(waiter: Waiter, refusal: unknown): void {
  waiter.done = true;
  if (refusal === undefined) waiter.resolve();
  else waiter.reject(refusal);
}

function tooManyChanges(name: string): StatusError {
  const message = "the object has been modified; please apply your changes to the latest version and try again";
  return conflict({ group: "", resource: "resourcequotas" }, name, message);
}
