/** How a command ended: a `metav1.Status`, as the error stream of version 4 carries it. */
export interface CommandStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

/** The command ended with exit code 0. */
export const SUCCESS: CommandStatus = { metadata: {}, status: "Success" };

/** The command ran, and said no (upstream's `NonZeroExitCodeReason`). */
export function failureStatus(command: readonly string[], exitCode: number): CommandStatus {
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: error executing command [${command.join(" ")}], exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** The command could not be run. */
export function internalErrorStatus(message: string): CommandStatus {
  return {
    metadata: {},
    status: "Failure",
    message: `Internal error occurred: ${message}`,
    reason: "InternalError",
    details: { causes: [{ message }] },
    code: 500,
  };
}

/** The status for who reads texts: nothing, or what went wrong (before version 4). */
export function statusText(status: CommandStatus): string {
  return status.status === "Success" ? "" : (status.message ?? "");
}
