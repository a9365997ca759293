/** Exit codes of the shell itself: a script that it does not understand, a program that is not there, one whose reader is gone. */
export const EXIT_SYNTAX = 2;
export const EXIT_NOT_FOUND = 127;
export const EXIT_BROKEN_PIPE = 141;

/** `exit`, on its way out of all that a script runs inside. */
export class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super();
    this.code = code;
  }
}

/** `break`, or `continue`, on its way out of the innermost loop. */
export class LoopControl extends Error {
  readonly goesOn: boolean;
  constructor(goesOn: boolean) {
    super();
    this.goesOn = goesOn;
  }
}
