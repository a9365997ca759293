import { channel } from "node:diagnostics_channel";

/** What is published about a defect. */
export interface DefectNotice {
  /** Which part went on in spite of it. */
  readonly where: string;
  readonly error: Error;
}

/** Name of the diagnostics channel that a {@link DefectNotice} goes to. */
export const DEFECT_CHANNEL = "kybern.defect";

const defects = channel(DEFECT_CHANNEL);

/**
 * Whether an error is a mistake in the program rather than something that the world did. Node gives a code to those of its errors that
 * say that a value from outside was wrong.
 */
export function isDefect(error: unknown): error is Error {
  const isKind = error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
  return isKind && !("code" in error);
}

/**
 * Makes a defect known where a loop survives it by trying again, as loops must: what is tried again looks like something that takes a
 * little longer, so that nobody would ever learn of the mistake. Errors of other kinds are none of its business.
 */
export function noteDefect(where: string, error: unknown): void {
  if (defects.hasSubscribers && isDefect(error)) defects.publish({ where, error } satisfies DefectNotice);
}
