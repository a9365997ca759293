/** Why a stream is ended at once (SPDY protocol draft 3, section 2.6.3). */
export const ResetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  unsupportedVersion: 4,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
  streamInUse: 8,
  streamAlreadyClosed: 9,
  frameTooLarge: 11,
} as const;

/** What the other end did against the protocol; the connection cannot go on. */
export class SpdyError extends Error {
  override readonly name = "SpdyError";
}
