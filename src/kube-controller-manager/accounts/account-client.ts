import type { TokenRequest } from "#api/generated/authentication/v1.ts";
import type { ServiceAccount } from "#api/generated/core/v1.ts";
import { isAlreadyExists, isNotFound } from "#apimachinery/api-errors/errors.ts";
import type { Clock } from "#base/clock.ts";
import type { Client, ResourceId, WatchEvent } from "#client/client.ts";

const ACCOUNTS: ResourceId = { group: "", version: "v1", resource: "serviceaccounts" };
const NAMESPACE = "kube-system";
/** Upstream's `DynamicControllerClientBuilder` asks for as much. */
const TOKEN_SECONDS = 3600;
/** A token is replaced when less than this is left of it. */
const RENEW_BEFORE_MS = 600_000;

/** A client that owns connections. */
type OwnedClient = Client & { close(): void };

interface Connection {
  readonly client: OwnedClient;
  /** By the clock that nobody sets. */
  readonly renewAtMs: number;
}

/** What {@link accountClient} works with. */
export interface AccountClientOptions {
  /** Asks for tokens, and makes the account where it is absent. */
  readonly root: Client;
  /** Connects with a token. */
  readonly connect: (token: string) => OwnedClient;
  readonly account: string;
  readonly clock: Clock;
}

/** A {@link Client} of a service account in `kube-system`: asks for a token when it is first used, and for another in time. */
export function accountClient(options: AccountClientOptions): OwnedClient {
  return new AccountClient(options);
}

class AccountClient implements Client {
  readonly #options: AccountClientOptions;
  #current: Promise<Connection> | undefined;
  #former: OwnedClient | undefined;
  #isClosed = false;

  constructor(options: AccountClientOptions) {
    this.#options = options;
  }

  get: Client["get"] = async (...args) => (await this.#client()).get(...args);
  list: Client["list"] = async (...args) => (await this.#client()).list(...args);
  create: Client["create"] = async (...args) => (await this.#client()).create(...args);
  update: Client["update"] = async (...args) => (await this.#client()).update(...args);
  patch: Client["patch"] = async (...args) => (await this.#client()).patch(...args);
  delete: Client["delete"] = async (...args) => (await this.#client()).delete(...args);
  deleteCollection: Client["deleteCollection"] = async (...args) => (await this.#client()).deleteCollection(...args);
  raw: Client["raw"] = async (...args) => (await this.#client()).raw(...args);

  async *watch<T extends object>(...args: Parameters<Client["watch"]>): AsyncGenerator<readonly WatchEvent<T>[], void, void> {
    yield* (await this.#client()).watch<T>(...args);
  }

  close(): void {
    this.#isClosed = true;
    this.#former?.close();
    void this.#current?.then(
      ({ client }) => client.close(),
      () => undefined,
    );
  }

  async #client(): Promise<OwnedClient> {
    const known = this.#current;
    if (known !== undefined) {
      const { client, renewAtMs } = await known;
      if (this.#options.clock.elapsed() < renewAtMs) return client;
      // Whoever notices first asks; what is under way on the former connection has until the next renewal.
      if (this.#current === known) {
        this.#former?.close();
        this.#former = client;
        this.#current = undefined;
      }
    }
    this.#current ??= this.#connect();
    const asked = this.#current;
    try {
      return (await asked).client;
    } catch (error) {
      if (this.#current === asked) this.#current = undefined;
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const { connect, clock } = this.#options;
    const askedMs = clock.elapsed();
    const { spec, status } = await this.#token();
    if (this.#isClosed) throw new Error("the client is closed");
    // The server says how long it lives, and by whose clock it ends: this machine's may differ, or be set meanwhile.
    const lifeMs = (spec?.expirationSeconds ?? TOKEN_SECONDS) * 1000;
    return { client: connect(status?.token ?? ""), renewAtMs: askedMs + Math.max(lifeMs - RENEW_BEFORE_MS, lifeMs / 2) };
  }

  async #token(): Promise<TokenRequest> {
    const { root, account } = this.#options;
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: { expirationSeconds: TOKEN_SECONDS },
    } as unknown as TokenRequest;
    const ask = (): Promise<TokenRequest> =>
      root.create<TokenRequest>(ACCOUNTS, NAMESPACE, request, { name: account, subresource: "token" });
    try {
      return await ask();
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const metadata = { name: account, namespace: NAMESPACE };
    await root
      .create<ServiceAccount>(ACCOUNTS, NAMESPACE, { apiVersion: "v1", kind: "ServiceAccount", metadata })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    return ask();
  }
}
