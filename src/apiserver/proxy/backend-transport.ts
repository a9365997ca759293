import { lookup } from "node:dns/promises";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectSocket, isIP } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Clock } from "#base/clock.ts";
import type { NetworkDialer } from "./network-dialer.ts";
import { isProxyableAddress } from "./proxyable-address.ts";

/** How long the other end has to take a connection, in milliseconds, where nothing else is said; as Go's default transport. */
const DIAL_TIMEOUT_MS = 30_000;
/** And then to agree on keys. */
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
/** Largest head of an answer in bytes. */
const RESPONSE_HEAD_BYTES_MAX: number = 1024 * 1024;

/** Where a request goes. */
export interface BackendAddress {
  readonly scheme: "http" | "https";
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** What is dialled, where `host` is a name that has been looked up and judged already. */
  readonly address?: string;
}

/** `HOST:PORT`, as a URL has it. */
export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What a server proves itself with and what it has to prove. Texts are PEM. */
export interface BackendTls {
  /** Absent: the machine's authorities. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whether the server's certificate counts. */
  readonly verify: boolean;
  /** The name that the certificate must have, where it is not the host's. */
  readonly servername?: string;
}

/** A request to a backend, as it goes out. */
export interface BackendRequest {
  readonly method: string;
  readonly to: BackendAddress;
  /** Escaped path, and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Readable | undefined;
  /** Ends the request, or the answer that is under way. */
  readonly signal: AbortSignal;
}

/** The answer's head; with the connection when it was 101, and what came behind the head. */
export interface BackendAnswer {
  readonly response: IncomingMessage;
  readonly upgraded?: { readonly socket: Duplex; readonly head: Buffer };
}

export interface BackendTransportOptions {
  readonly clock: Clock;
  readonly tls: BackendTls;
  readonly dialer?: NetworkDialer | undefined;
  /** Refuses addresses that {@link isProxyableAddress} refuses, at the moment when they are dialled (CVE-2020-8562). */
  readonly proxyableOnly: boolean;
  /** How long the other end has to take a connection, in milliseconds. Default 30 s. */
  readonly dialTimeoutMs?: number;
}

/** No connection came about; the cause is Node's. */
export class DialError extends Error {
  override readonly name = "DialError";
}

/** The host has an address that nothing may be passed on to. */
export class AddressNotAllowedError extends Error {
  override readonly name = "AddressNotAllowedError";
  constructor() {
    super("address not allowed");
  }
}

/** Carries requests to nodes, pods and services, each on a connection of its own, in HTTP/1.1. Redirects are never followed. */
export class BackendTransport {
  readonly #options: BackendTransportOptions;

  constructor(options: BackendTransportOptions) {
    this.#options = options;
  }

  /** Whether the host lies behind the dialer that was given, which vouches for it. */
  vouchesFor(host: string): boolean {
    return this.#options.dialer?.reaches(host) === true;
  }

  /** A connection, encrypted for `https`. Rejects with {@link AddressNotAllowedError} or {@link DialError}. */
  async connect(to: BackendAddress, signal: AbortSignal): Promise<Duplex> {
    const plain = await this.#dial(to, signal);
    plain.on("error", () => {});
    return to.scheme === "https" ? this.#encrypt(plain, to, signal) : plain;
  }

  /** Sends a request; resolves with the head of the answer. Rejects as {@link connect}, or with Node's error. */
  async send(request: BackendRequest): Promise<BackendAnswer> {
    const socket = await this.connect(request.to, request.signal);
    try {
      return await exchangeOver(socket, request);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #dial({ host, port, address = host }: BackendAddress, signal: AbortSignal): Promise<Duplex> {
    const { dialer, proxyableOnly, clock, dialTimeoutMs = DIAL_TIMEOUT_MS } = this.#options;
    signal.throwIfAborted();
    if (dialer?.reaches(host) === true) return dialer.dial(host, port).catch(failedToDial);
    const addresses = isIP(address) > 0 ? [address] : await lookedUp(address);
    if (proxyableOnly && !addresses.every(isProxyableAddress)) throw new AddressNotAllowedError();
    let last: unknown;
    for (const each of addresses) {
      const socket = connectSocket({ host: each, port, noDelay: true, keepAlive: true });
      const late = new Error(`dial tcp ${hostPort({ host: each, port })}: i/o timeout`);
      try {
        await within(socket, "connect", { clock, signal, timeoutMs: dialTimeoutMs, late });
        return socket;
      } catch (error) {
        last = error;
      }
    }
    return failedToDial(last);
  }

  async #encrypt(plain: Duplex, to: BackendAddress, signal: AbortSignal): Promise<Duplex> {
    const { ca, cert, key, verify, servername = to.host } = this.#options.tls;
    const socket = connectTls({
      socket: plain as never,
      host: servername,
      ...(isIP(servername) === 0 ? { servername } : {}),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: verify,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    const late = new Error("net/http: TLS handshake timeout");
    const limits = { clock: this.#options.clock, signal, timeoutMs: TLS_HANDSHAKE_TIMEOUT_MS, late };
    try {
      await within(socket, "secureConnect", limits);
    } catch (error) {
      plain.destroy();
      failedToDial(error);
    }
    socket.on("error", () => {});
    return socket;
  }
}

/** The addresses of a host, all of which may be proxied to. Rejects with {@link AddressNotAllowedError} or a {@link DialError}. */
export async function proxyableAddresses(host: string): Promise<readonly string[]> {
  const addresses = isIP(host) > 0 ? [host] : await lookedUp(host);
  if (!addresses.every(isProxyableAddress)) throw new AddressNotAllowedError();
  return addresses;
}

async function lookedUp(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true }).catch(failedToDial);
  return found.map(({ address }) => address);
}

function failedToDial(cause: unknown): never {
  throw new DialError(cause instanceof Error ? cause.message : String(cause), { cause });
}

/** Waits for an event that means that the socket works; destroys it when that does not come. */
function within(
  socket: Duplex,
  event: "connect" | "secureConnect",
  limits: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number; readonly late: Error },
): Promise<void> {
  const { clock, signal, timeoutMs, late } = limits;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      settle();
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onClose = (): void => fail(new Error("EOF"));
    const onEvent = (): void => {
      settle();
      resolve();
    };
    const timer = clock.setTimeout(() => fail(late), timeoutMs, { unref: true });
    const settle = (): void => {
      timer.clear();
      signal.removeEventListener("abort", onAbort);
      socket.off(event, onEvent).off("error", fail).off("close", onClose);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once(event, onEvent).once("error", fail).once("close", onClose);
  });
}

function exchangeOver(socket: Duplex, { method, to, target, headers, body, signal }: BackendRequest): Promise<BackendAnswer> {
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = httpRequest({
      method,
      host: to.host,
      port: to.port,
      path: target,
      headers,
      createConnection: () => socket as never,
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
    });
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const settled = (): void => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", settled);
    sent.on("error", reject);
    sent.once("response", (response) => {
      // What breaks off later is the reader's to see.
      response.on("error", () => {});
      resolve({ response });
    });
    sent.once("upgrade", (response, upgradedSocket, head) => {
      settled();
      resolve({ response, upgraded: { socket: upgradedSocket, head } });
    });
    if (body === undefined) sent.end();
    else sendBody(body, sent);
  });
}

/** A client that goes away leaves a request that is not whole; what a backend does not want is read and thrown away. */
export function sendBody(body: Readable, sent: ClientRequest): void {
  body.once("error", () => sent.destroy());
  body.once("close", () => {
    if (!body.readableEnded) sent.destroy();
  });
  sent.once("close", () => body.resume());
  body.pipe(sent);
}
