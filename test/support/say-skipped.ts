import { test } from "vitest";

/** Names what is left out where something is not there, in the report as skipped. Where it is there nothing is added, and a run that leaves nothing out says so. */
export function saySkipped(isThere: boolean, title: string): void {
  if (!isThere) test.skip(title, () => undefined);
}
