/** A failed connection in Go's words. */
export function connectProblem(error: Error & { readonly code?: string }): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "connect: connection timed out",
    ECONNRESET: "read: connection reset by peer",
    ENOTFOUND: "no such host",
  };
  return words[error.code ?? ""] ?? error.message;
}
