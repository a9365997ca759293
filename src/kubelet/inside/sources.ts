import type { TokenRequest } from "#api/generated/authentication/v1.ts";
import type { ConfigMap, Pod, Secret, Service } from "#api/generated/core/v1.ts";
import { isNotFound } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { parseTime } from "#apimachinery/meta/time.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";

/** A token of a pod's service account. */
export interface PodToken {
  readonly token: string;
  /** When it is asked for anew, in milliseconds since the epoch. */
  readonly refreshAtMs: number;
  /** When it ends, where that is known. */
  readonly expiresAtMs?: number;
}

/** What a node reads of the API for the insides of its containers. */
export interface Sources {
  /** Undefined when it is not there. */
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  services(namespace: string): Promise<readonly Service[]>;
  token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<PodToken>;
}

/** How long what was read holds, in milliseconds: the pods of a namespace ask for the same. */
const FRESH_MS = 1000;
/** Answers that are remembered. */
const ANSWERS_MAX = 1000;
/** A token is asked for anew when so much of its time is over, as upstream's kubelet does. */
const TOKEN_LIFE_USED = 0.8;

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });

interface Answer {
  readonly atMs: number;
  readonly value: Promise<unknown>;
}

/** Reads through a client; who asks for the same within a second gets the same, and while the API is away what was there last. */
export class ClientSources implements Sources {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #answers = new Map<string, Answer>();
  /** What was read last, for when the API is away. */
  readonly #last = new Map<string, unknown>();

  constructor(options: { readonly client: Client; readonly clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#get<ConfigMap>("configmaps", namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#get<Secret>("secrets", namespace, name);
  }

  services(namespace: string): Promise<readonly Service[]> {
    return this.#fresh(`services/${namespace}`, async () => {
      const { items } = await this.#client.list<Service>(core("services"), namespace);
      return items;
    });
  }

  async token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<PodToken> {
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: audience === undefined || audience === "" ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    } as unknown as TokenRequest;
    const account = pod.spec.serviceAccountName ?? "default";
    const options = { name: account, subresource: "token" };
    const { status } = await this.#client.create<TokenRequest>(core("serviceaccounts"), namespace, request, options);
    const nowMs = this.#clock.now();
    const endsMs = parseTime(status?.expirationTimestamp) ?? nowMs;
    return { token: status?.token ?? "", refreshAtMs: nowMs + (endsMs - nowMs) * TOKEN_LIFE_USED, expiresAtMs: endsMs };
  }

  async #get<T extends object>(resource: string, namespace: string, name: string): Promise<T | undefined> {
    const key = `${resource}/${namespace}/${name}`;
    const found = await this.#fresh(key, () =>
      this.#client.get<T>(core(resource), namespace, name).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    );
    if (found === undefined) this.#answers.delete(key);
    return found;
  }

  #fresh<T>(key: string, read: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.elapsed();
    const known = this.#answers.get(key);
    if (known !== undefined && nowMs - known.atMs < FRESH_MS) return known.value as Promise<T>;
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    const value = this.#readOrLast(key, read);
    this.#answers.set(key, { atMs: nowMs, value });
    value.catch(() => this.#answers.delete(key));
    return value;
  }

  /** A refusal is an answer; a server that cannot be reached is none. */
  async #readOrLast<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
      const value = await read();
      if (this.#last.size >= ANSWERS_MAX) this.#last.clear();
      this.#last.set(key, value);
      return value;
    } catch (error) {
      if (error instanceof StatusError || !this.#last.has(key)) throw error;
      return this.#last.get(key) as T;
    }
  }
}

/** For a node without an API: nothing is there. */
export const noSources: Sources = {
  configMap: async () => undefined,
  secret: async () => undefined,
  services: async () => [],
  token: async () => {
    throw new Error("there is no API server to give tokens");
  },
};
