import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { Client } from "ldapts";
import type { Clock } from "#base/clock.ts";
import type { DirectoryOptions } from "./directory-options.ts";
import { DirectoryUnavailable } from "./directory-options.ts";
import { startTls } from "./start-tls.ts";

/** Opens a connection to the first of the directory's addresses that answers. It is encrypted before a word is said on it, where that was asked for. */
export async function connect(options: DirectoryOptions, clock: Clock): Promise<Client> {
  let failure: unknown;
  for (const url of options.urls) {
    try {
      return await connectTo(url, options, clock);
    } catch (error) {
      failure = error;
    }
  }
  throw new DirectoryUnavailable(`no connection to ${options.urls.join(", ")}: ${(failure as Error).message}`, {
    cause: failure,
  });
}

async function connectTo(url: string, options: DirectoryOptions, clock: Clock): Promise<Client> {
  const { timeoutMs } = options;
  const socket = await openSocket(url, options, clock);
  let given = false;
  const createConnection = (): Socket => {
    // The package would open another connection in silence: without encryption, and as nobody.
    if (given) throw new DirectoryUnavailable("the connection was closed");
    given = true;
    return socket;
  };
  // What the address says of encryption has been done.
  return new Client({
    url: "ldap://directory",
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    createConnection: createConnection as never,
  });
}

function openSocket(url: string, options: DirectoryOptions, clock: Clock): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "ldaps:";
  const host = hostname.replace(/^\[|\]$/g, "");
  const at = { host, port: port === "" ? (isTls ? 636 : 389) : Number(port) };
  const secure = tlsOptions(options, host);
  return new Promise((resolve, reject) => {
    let open: Socket = isTls ? connectTls({ ...secure, ...at }) : connectTcp(at);
    const timer = clock.setTimeout(() => fail(new Error("no connection in time")), options.timeoutMs);
    const fail = (error: Error): void => {
      timer.clear();
      open.destroy();
      reject(error);
    };
    const done = (socket: Socket): void => {
      timer.clear();
      socket.removeListener("error", fail);
      socket.setKeepAlive(true, 30_000).setNoDelay(true);
      resolve(socket);
    };
    open.on("error", fail);
    if (isTls) {
      open.once("secureConnect", () => done(open));
      return;
    }
    open.once("connect", () => {
      if (!options.startTls) return done(open);
      startTls(open)
        .then(() => {
          const plain = open;
          const encrypted: TLSSocket = connectTls({ ...secure, socket: plain });
          open = encrypted;
          encrypted.on("error", fail);
          encrypted.once("secureConnect", () => done(encrypted));
        })
        .catch(fail);
    });
  });
}

function tlsOptions({ ca, clientCertificate }: DirectoryOptions, host: string): ConnectionOptions {
  return {
    minVersion: "TLSv1.2",
    // The name that the certificate must have. RFC 6066 §3 knows no addresses there, but Node checks them by this.
    ...(isIP(host) ? { host } : { servername: host }),
    ...(ca === undefined ? {} : { ca }),
    ...clientCertificate,
  };
}
