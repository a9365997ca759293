import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { realClock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client } from "#client/client.ts";
import { ANSWER_MAX_MS, type Trouble } from "../history/answers.ts";
import type { Call, Operation, Outcome } from "../history/operation.ts";
import type { AcknowledgedWrite } from "../history/watched.ts";

const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };
/** Between two calls of a client. */
const PAUSE_MS = 60;
/** After a call that failed: longer, or what is unknown would pile up while nothing answers. */
const PAUSE_AFTER_FAILURE_MS = 400;
const OK = 200;
/** What all clients of a run write down. */
export class Recording {
  /** By the object's name. */
  readonly operations: Map<string, Operation[]> = new Map();
  readonly writes: AcknowledgedWrite[] = [];
  /** Calls that failed. */
  readonly failures: Trouble[] = [];
  /** Good answers that came late. */
  readonly late: Trouble[] = [];
  /** Calls of each client that were answered as they should be. */
  readonly acknowledged: Map<string, number> = new Map();

  /** Milliseconds of the slowest call that was answered as it should be since a moment. */
  slowestSince(since: number): number {
    const durations = [...this.operations.values()].flatMap((operations) =>
      operations.flatMap(({ outcome, invoked, returned }) =>
        outcome.kind !== "unknown" && returned >= since ? [returned - invoked] : [],
      ),
    );
    return durations.reduce((slowest, duration) => Math.max(slowest, duration), 0);
  }

  acknowledge(client: string): void {
    this.acknowledged.set(client, (this.acknowledged.get(client) ?? 0) + 1);
  }

  add(key: string, operation: Operation): void {
    const known = this.operations.get(key);
    if (known === undefined) this.operations.set(key, [operation]);
    else known.push(operation);
  }
}

/** What a client works with. */
export interface ClientOptions {
  readonly name: string;
  readonly client: Client;
  readonly namespace: string;
  readonly random: Random;
  readonly recording: Recording;
  /** The objects that are called now: others after each fault, so that histories stay short. */
  readonly keys: () => readonly string[];
  readonly signal: AbortSignal;
}

interface Known {
  readonly value: string;
  readonly object: ConfigMap;
}

/** Calls objects at random, one call after another, and writes down what was asked and what was answered. */
export class RecordedClient {
  readonly #options: ClientOptions;
  /** What this client last knew of each object. */
  readonly #known = new Map<string, Known>();
  #count = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, random } = this.#options;
    while (!signal.aborted) {
      const isFine = await this.#step();
      await realClock.sleep(random.float() * 2 * (isFine ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS), signal).catch(() => undefined);
    }
  }

  async #step(): Promise<boolean> {
    const { random, keys } = this.#options;
    const names = keys();
    const key = names[random.int(names.length)] ?? "";
    const known = this.#known.get(key);
    const value = `${this.#options.name}.${this.#count++}`;
    switch (random.int(10)) {
      case 0:
        return this.#list(names);
      case 1:
        return this.#write(key, { kind: "delete" });
      case 2:
        return this.#write(key, { kind: "create", value });
      case 3:
        return this.#write(key, { kind: "replace", value });
      case 4:
      case 5:
      case 6:
        if (known !== undefined) return this.#write(key, { kind: "swap", expected: known.value, value }, known.object);
        return this.#write(key, { kind: "create", value });
      default:
        return this.#read(key);
    }
  }

  async #read(key: string): Promise<boolean> {
    const { client, namespace } = this.#options;
    return this.#record([key], { kind: "read" }, async () => {
      const object = await client.get<ConfigMap>(CONFIG_MAPS, namespace, key);
      return new Map([[key, this.#learn(key, object)]]);
    });
  }

  /** A read of every object at one moment. */
  async #list(names: readonly string[]): Promise<boolean> {
    const { client, namespace } = this.#options;
    return this.#record(names, { kind: "read" }, async () => {
      const { items } = await client.list<ConfigMap>(CONFIG_MAPS, namespace);
      return new Map(items.map((object) => [object.metadata?.name ?? "", this.#learn(object.metadata?.name ?? "", object)]));
    });
  }

  async #write(key: string, call: Exclude<Call, { kind: "read" }>, base?: ConfigMap): Promise<boolean> {
    const { client, namespace, recording } = this.#options;
    return this.#record([key], call, async () => {
      if (call.kind === "delete") {
        await client.delete(CONFIG_MAPS, namespace, key);
        this.#known.delete(key);
        return undefined;
      }
      const { value } = call;
      const metadata = { name: key, ...(base === undefined ? {} : { resourceVersion: base.metadata?.resourceVersion ?? "" }) };
      const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { value } };
      const written =
        call.kind === "create"
          ? await client.create<ConfigMap>(CONFIG_MAPS, namespace, object)
          : await client.update<ConfigMap>(CONFIG_MAPS, namespace, key, object);
      this.#learn(key, written);
      recording.writes.push({ key, value, revision: Number(written.metadata?.resourceVersion) });
      return undefined;
    });
  }

  /** Whether it was answered as it should be when nothing is wrong. */
  async #record(
    keys: readonly string[],
    call: Call,
    ask: () => Promise<ReadonlyMap<string, string> | undefined>,
  ): Promise<boolean> {
    const { name, recording } = this.#options;
    const invoked = performance.now();
    const add = (outcomeOf: (key: string) => Outcome): void => {
      const returned = performance.now();
      for (const key of keys) recording.add(key, { client: name, call, outcome: outcomeOf(key), invoked, returned });
    };
    const what = `${call.kind} ${keys.length === 1 ? keys[0] : "all"}`;
    const trouble = (code: number, reason: string, message: string): Trouble => {
      return { client: name, what, at: invoked, durationMs: performance.now() - invoked, code, reason, message };
    };
    const acknowledge = (code: number): void => {
      recording.acknowledge(name);
      const told = trouble(code, "", "");
      if (told.durationMs > ANSWER_MAX_MS) recording.late.push(told);
    };
    try {
      const found = await ask();
      acknowledge(OK);
      add((key) => (found === undefined ? { kind: "ok" } : { kind: "ok", value: found.get(key) }));
      return true;
    } catch (error) {
      const { code, reason = "" } = error instanceof StatusError ? { ...error.status, code: error.code } : { code: 0 };
      if (isRefusal(call, code, reason)) {
        acknowledge(OK);
        this.#known.delete(keys[0] ?? "");
        add(() => refusal(call, code));
        return true;
      }
      recording.failures.push(trouble(code, reason, error instanceof Error ? error.message : String(error)));
      // Who is turned away before anything is done has done nothing; of a read that failed nothing follows.
      if (code !== 429 && call.kind !== "read") add(() => ({ kind: "unknown" }));
      return false;
    }
  }

  #learn(key: string, object: ConfigMap): string {
    const value = object.data?.value ?? "";
    this.#known.set(key, { value, object });
    return value;
  }
}

/** Whether an answer says, in the right way, that what was there does not allow it. */
function isRefusal(call: Call, code: number, reason: string): boolean {
  if (code === 404) return reason === "NotFound";
  return code === 409 && reason === (call.kind === "create" ? "AlreadyExists" : "Conflict");
}

function refusal(call: Call, code: number): Outcome {
  if (call.kind === "read") return { kind: "ok", value: undefined };
  return { kind: "refused", why: code === 404 ? "absent" : "conflict" };
}
