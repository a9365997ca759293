import { StatusError } from "./status.ts";

/** What an error of no known kind becomes upstream: a 500 with the bare text and no reason. */
export function plainError(message: string): StatusError {
  return new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}
