import { isIP } from "node:net";
import { FlagError } from "#component-base/flags.ts";

/** An API server behind the balancer. */
export interface BalancedServer {
  /** Unique among them; shown in HAProxy's log. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** What {@link haproxyConfiguration} renders. */
export interface BalancerOptions {
  /** `HOST:PORT` that clients come to; `*` for all addresses. */
  readonly bind: string;
  readonly servers: readonly BalancedServer[];
  /** Authorities of the servers' certificates, for the health check; any certificate will do when empty. */
  readonly caFile: string;
  /** Connections at one time; as many as its limit of open files lets HAProxy have when 0. */
  readonly maxConnections: number;
}

const DEFAULT_PORT = 6443;

/**
 * A configuration of HAProxy 2.2 and later for several API servers: connections are passed on as they are, so that TLS and client
 * certificates stay between client and server; who is asked is decided by `/readyz`.
 */
export function haproxyConfiguration({ bind, servers, caFile, maxConnections }: BalancerOptions): string {
  const verify = caFile === "" ? "verify none" : `verify required ca-file ${quoted(caFile)}`;
  const lines = servers.map(
    ({ name, host, port }) => `    server ${name} ${host.includes(":") ? `[${host}]` : host}:${port} check check-ssl ${verify}`,
  );
  return `# HAProxy in front of the API servers of one cluster.
global
    log stdout format raw local0 info
${maxConnections === 0 ? "" : `    maxconn ${maxConnections}\n`}
defaults
    log global
    mode tcp
    option tcplog
    option dontlognull
    # Watches, exec and port-forward may be silent for long: who has gone is found out by the kernel's questions.
    option clitcpka
    option srvtcpka
    timeout connect 5s
    timeout check 3s
    timeout client 60s
    timeout server 60s
    timeout client-fin 10s
    timeout server-fin 10s
    timeout tunnel 4h
    retries 2
    option redispatch

frontend kube-apiserver
    bind ${bind}
    default_backend kube-apiserver

backend kube-apiserver
    # Connections last for hours, and not all carry as much.
    balance leastconn
    option httpchk
    http-check connect ssl
    http-check send meth GET uri /readyz?exclude=shutdown ver HTTP/1.1 hdr Host kubernetes
    http-check expect status 200
    # A server that is to stop gets no new connections, and keeps those that it has until it ends them itself.
    http-check connect ssl
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes
    http-check expect error-status L7OKC status 200
    # A server that is frozen or cut off keeps its connections: they are ended, so that clients connect anew.
    default-server inter 2s fastinter 1s downinter 1s fall 2 rise 2 on-marked-down shutdown-sessions
${lines.join("\n")}
`;
}

/** Reads `[NAME=]HOST[:PORT]`, one for each server; names are `apiserver-1` and so on by default. Throws {@link FlagError}. */
export function balancedServers(texts: readonly string[]): readonly BalancedServer[] {
  const servers = texts.map((text, i): BalancedServer => {
    const match = /^(?:([\w.-]+)=)?(\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(text);
    const host = (match?.[2] ?? "").replace(/^\[|\]$/g, "");
    const port = Number(match?.[3] ?? DEFAULT_PORT);
    if (match === null || port < 1 || port > 65535 || (text.includes("[") && isIP(host) !== 6)) {
      throw new FlagError(`flag --server takes [NAME=]HOST[:PORT], not "${text}"`);
    }
    return { name: match[1] ?? `apiserver-${i + 1}`, host, port };
  });
  if (servers.length === 0) throw new FlagError("flag --server says where the API servers are, and must be given");
  const twice = servers.find(({ name }, i) => servers.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw new FlagError(`flag --server: there are two of the name "${twice.name}"`);
  return servers;
}

/** What stands for itself inside HAProxy's quotation marks. */
function quoted(text: string): string {
  if (/["\\\n\r$]/.test(text)) throw new FlagError(`flag --ca-file: HAProxy cannot be told the name "${text}"`);
  return `"${text}"`;
}
