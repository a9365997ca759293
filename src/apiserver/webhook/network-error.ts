/** A failure of Node's sockets and TLS, with what it may carry. */
interface NetworkFailure extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly host?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

const CONNECT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
  ECONNRESET: "connection reset by peer",
  EADDRNOTAVAIL: "cannot assign requested address",
};
const UNKNOWN_AUTHORITY = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
]);
const EXPIRED = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);
const UNVERIFIED = "tls: failed to verify certificate: x509: ";

/** What Go says where Node's sockets failed: clients see these texts and look for parts of them. */
export function networkErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const failure = firstOf(error);
  const { code = "" } = failure;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `dial tcp: lookup ${failure.hostname ?? ""}: no such host`;
  if (failure.syscall === "connect" && CONNECT[code] !== undefined) {
    return `dial tcp ${hostPort(failure.address ?? "", failure.port ?? 0)}: connect: ${CONNECT[code]}`;
  }
  if (UNKNOWN_AUTHORITY.has(code)) return `${UNVERIFIED}certificate signed by unknown authority`;
  if (EXPIRED.has(code)) return `${UNVERIFIED}certificate has expired or is not yet valid`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `${UNVERIFIED}${wrongName(failure)}`;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") return "http: server gave HTTP response to HTTPS client";
  if (code === "ECONNRESET") return "EOF";
  return failure.message;
}

/** Node tries all addresses of a name and fails with all failures. */
function firstOf(error: Error): NetworkFailure {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  return first instanceof Error ? first : error;
}

function wrongName({ host = "", cert }: NetworkFailure): string {
  const names = (cert?.subjectaltname ?? "").split(", ").filter((name) => name !== "");
  const dns = names.filter((name) => name.startsWith("DNS:")).map((name) => name.slice("DNS:".length));
  const addresses = names.filter((name) => name.startsWith("IP Address:")).map((name) => name.slice("IP Address:".length));
  const isAddress = /^[0-9.]+$/.test(host) || host.includes(":");
  if (isAddress && addresses.length === 0) {
    return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  }
  const valid = isAddress ? addresses : dns;
  if (valid.length === 0) return `certificate is not valid for any names, but wanted to match ${host}`;
  return `certificate is valid for ${valid.join(", ")}, not ${host}`;
}

/** As Go's `net.JoinHostPort`. */
export function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
