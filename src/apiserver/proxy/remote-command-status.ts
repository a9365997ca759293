/** How a command ended, as it is told on the error stream of `v4` and `v5.channel.k8s.io`. */
export interface CommandStatus {
  readonly metadata: object;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
  readonly code?: number;
}

const EXIT_CODE = "ExitCode";

/** What the client is told when the node said this on its error stream. After client-go's `errorDecoderV4` and upstream's translator. */
export function statusOfErrorStream(text: string): CommandStatus {
  // A container that ended well may have said nothing at all.
  if (text === "") return { metadata: {}, status: "Success" };
  let sent: Partial<CommandStatus>;
  try {
    sent = JSON.parse(text) as Partial<CommandStatus>;
  } catch (error) {
    return failed(
      `error stream protocol error: ${error instanceof Error ? error.message : String(error)} in ${JSON.stringify(text)}`,
    );
  }
  if (sent.status === "Success") return { metadata: {}, status: "Success" };
  if (sent.status !== "Failure") return failed("error stream protocol error: unknown error");
  if (sent.reason !== "NonZeroExitCode") return failed(String(sent.message ?? ""));
  if (sent.details === undefined) return failed("error stream protocol error: details must be set");
  const cause = sent.details.causes?.find(({ reason }) => reason === EXIT_CODE);
  if (cause === undefined) return failed(`error stream protocol error: no ${EXIT_CODE} cause given`);
  const code = /^\d+$/.test(cause.message ?? "") ? Number(cause.message) : 256;
  if (code > 255) return failed(`error stream protocol error: invalid exit code value ${JSON.stringify(cause.message ?? "")}`);
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: EXIT_CODE, message: String(code) }] },
  };
}

/** An error of this server or of the way to the node. */
export function failed(message: string): CommandStatus {
  return {
    metadata: {},
    status: "Failure",
    message: `Internal error occurred: ${message}`,
    reason: "InternalError",
    details: { causes: [{ message }] },
    code: 500,
  };
}
