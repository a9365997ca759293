import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { HealthSlis } from "#component-base/health-slis.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import type { DelegatedAuth, Refusal } from "./delegated-auth.ts";
import { processMetrics } from "./process-metrics.ts";
import { cpuProfile, heapProfile } from "./profiles.ts";

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What a program tells of itself. */
export interface ComponentFacts {
  readonly healthy: () => boolean;
  /** What `/configz` shows, by upstream's names. */
  readonly configuration: () => Readonly<Record<string, unknown>>;
  /** Metrics beyond those of every process, as text. */
  readonly metrics: () => string;
  readonly profiling: boolean;
}

/** Options of {@link startComponentServer}. */
export interface ComponentServerOptions extends ComponentFacts {
  /** Absent where the flags want none. */
  readonly secure?: {
    readonly bindAddress: string;
    readonly port: number;
    readonly certificate: CertificatePair;
    readonly clientCas: readonly string[];
    readonly auth: DelegatedAuth;
  };
  /** Answers everybody. */
  readonly plain?: { readonly bindAddress: string; readonly port: number };
}

/** The ports of a program, open. */
export interface ComponentServer {
  readonly port: number | undefined;
  /** Shows another certificate to who connects from now on, and takes those of these authorities. Throws where it cannot be used. */
  useCertificates(certificate: CertificatePair, clientCas: readonly string[]): void;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Opens the ports by which a program is looked after: health, metrics, configuration, profiles. */
export async function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer> {
  const { secure, plain } = options;
  const servers: Server[] = [];
  const slis = new HealthSlis();
  let useContext: ((options: SecureContextOptions) => void) | undefined;
  if (secure !== undefined) {
    const { certificate, clientCas, auth } = secure;
    const tls = { ...certificate, ca: [...clientCas], requestCert: true, rejectUnauthorized: false };
    const server = createServer(tls, (request, response) => void serve({ ...options, slis }, request, response, auth));
    useContext = (next) => server.setSecureContext(next);
    servers.push(await listen(server, secure));
  }
  if (plain !== undefined) {
    servers.push(
      await listen(
        createPlainServer((request, response) => void serve({ ...options, slis }, request, response)),
        plain,
      ),
    );
  }
  const first = servers[0]?.address() as AddressInfo | undefined;
  return {
    port: secure === undefined ? undefined : first?.port,
    useCertificates: (certificate, clientCas) => {
      const next = { ...certificate, ca: [...clientCas] };
      createSecureContext(next);
      useContext?.(next);
      secure?.auth.useClientCas(clientCas);
    },
    stop: async () => {
      await Promise.all(
        servers.map((server) => {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          return closed;
        }),
      );
    },
  };
}

function listen(server: Server, where: { readonly bindAddress: string; readonly port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where.port, where.bindAddress, () => {
      server.removeListener("error", reject);
      resolve(server);
    });
  });
}

async function serve(facts: ToldFacts, request: IncomingMessage, response: ServerResponse, auth?: DelegatedAuth): Promise<void> {
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const refusal = await auth?.refusal(request, path);
  const answer = refusal === undefined ? await answerTo(facts, path, new URLSearchParams(query)) : refused(refusal);
  response.writeHead(answer.status, { "content-type": answer.type, "x-content-type-options": "nosniff" });
  response.end(answer.body);
}

/** With what was found of health when somebody asked. */
interface ToldFacts extends ComponentFacts {
  readonly slis: HealthSlis;
}

async function answerTo(facts: ToldFacts, path: string, query: URLSearchParams): Promise<Answer> {
  switch (path) {
    case "/healthz":
    case "/livez":
    case "/readyz": {
      const isHealthy = facts.healthy();
      facts.slis.observe("running", path.slice(1), isHealthy);
      return isHealthy ? plainText(200, "ok") : plainText(500, "internal server error: not running");
    }
    case "/metrics":
      return { status: 200, type: METRICS_TYPE, body: processMetrics() + facts.metrics() };
    case "/metrics/slis":
      return { status: 200, type: METRICS_TYPE, body: facts.slis.text() };
    case "/configz":
      return json(200, JSON.stringify(facts.configuration()));
    case "/debug/pprof/profile":
      if (facts.profiling) return json(200, await cpuProfile(query.get("seconds")));
      break;
    case "/debug/pprof/heap":
      if (facts.profiling) return json(200, await heapProfile());
      break;
    case "/debug/pprof/":
      if (facts.profiling) return plainText(200, "profile?seconds=30\nheap\n");
      break;
  }
  return plainText(404, "404 page not found\n");
}

function plainText(status: number, body: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body };
}

function json(status: number, body: string): Answer {
  return { status, type: "application/json", body };
}

function refused({ code, message }: Refusal): Answer {
  const reason = { 401: "Unauthorized", 403: "Forbidden", 500: "InternalError" }[code];
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return json(code, `${JSON.stringify(status, undefined, 2)}\n`);
}
