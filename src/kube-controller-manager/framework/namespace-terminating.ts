import { StatusError } from "#apimachinery/api-errors/status.ts";

/** Whether a write failed because its namespace is being deleted: nothing may be made there any more, and nobody cares. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false)
  );
}
