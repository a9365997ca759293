import { GrpcError } from "#base/grpc/grpc-error.ts";

/** The code of whatever a runtime has no other for. */
const UNKNOWN = 2;

/** What is asked of a runtime that does not exist there. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/** A call that the runtime does not know: it is older than the call. */
export class UnimplementedError extends Error {
  override readonly name = "UnimplementedError";
}

/** Why a call of the runtime failed, in the words in which upstream's kubelet passes it on: those of gRPC for Go. */
export function rpcText(error: unknown): string {
  const status = statusOf(error);
  if (status !== undefined) return status.goText;
  return error instanceof Error ? error.message : String(error);
}

/** {@link rpcText} of a pull: a code that says nothing is left out, as upstream does. */
export function pullText(error: unknown): string {
  const status = statusOf(error);
  return status?.code === UNKNOWN ? status.message : rpcText(error);
}

/** Whether it is a call of the runtime that failed, and not something of the kubelet's own. */
export function isRpcError(error: unknown): boolean {
  return statusOf(error) !== undefined;
}

function statusOf(error: unknown): GrpcError | undefined {
  if (error instanceof GrpcError) return error;
  return error instanceof Error && error.cause instanceof GrpcError ? error.cause : undefined;
}
