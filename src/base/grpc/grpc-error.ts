/** Codes of gRPC that are told apart. */
export const DEADLINE_EXCEEDED = 4;
/** See {@link DEADLINE_EXCEEDED}. */
export const NOT_FOUND = 5;
/** See {@link DEADLINE_EXCEEDED}. */
export const RESOURCE_EXHAUSTED = 8;
/** See {@link DEADLINE_EXCEEDED}. */
export const UNIMPLEMENTED = 12;
/** See {@link DEADLINE_EXCEEDED}. */
export const UNAVAILABLE = 14;

/** gRPC's names of its codes, in their order. */
const CODE_NAMES: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

/** A call that failed, by gRPC's status. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  /** The server has surely not seen the call: it can be made again, whatever it does. */
  readonly unsent: boolean;
  constructor(code: number, message: string, unsent = false) {
    super(message);
    this.code = code;
    this.unsent = unsent;
  }

  /** As gRPC for Go writes it, whose programs pass that on to people. */
  get goText(): string {
    return `rpc error: code = ${CODE_NAMES[this.code] ?? `Code(${this.code})`} desc = ${this.message}`;
  }

  /** Another member may do better. */
  get elsewhere(): boolean {
    return this.code === UNAVAILABLE || this.code === DEADLINE_EXCEEDED;
  }
}
