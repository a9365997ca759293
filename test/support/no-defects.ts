import { subscribe } from "node:diagnostics_channel";
import { afterEach } from "vitest";
import { DEFECT_CHANNEL, type DefectNotice } from "#base/defect.ts";

// A loop that meets a TypeError and tries again can still do in the end what a test waits for.
const seen: DefectNotice[] = [];

subscribe(DEFECT_CHANNEL, (notice) => seen.push(notice as DefectNotice));

afterEach(() => {
  const [first, ...others] = seen.splice(0);
  if (first === undefined) return;
  throw new Error(`${first.where} met a defect, and ${others.length} more: ${first.error.message}`, { cause: first.error });
});
