import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlagError, type ParsedFlags } from "#component-base/flags.ts";
import { type SnapshotMember, startSnapshotMember } from "./etcd-snapshot.ts";
import type { upFlags } from "./up/flags.ts";

/** A snapshot that is open. */
export interface SnapshotView {
  /** What `kybern up` does with it, in place of what was asked for. */
  readonly flags: Pick<
    ParsedFlags<typeof upFlags>,
    "data-dir" | "etcd-servers" | "etcd-cafile" | "etcd-certfile" | "etcd-keyfile" | "nodes" | "components"
  >;
  /** Ends the member and removes all that was made. */
  close(): Promise<void>;
}

/** Opens what `--from-etcd-snapshot` names: an API server alone, with everything in a folder that is removed in the end. */
export async function openSnapshot(given: ParsedFlags<typeof upFlags>): Promise<SnapshotView> {
  for (const flag of ["etcd-servers", "etcd-servers-overrides"] as const) {
    if (given[flag].length > 0) throw new FlagError(`flags --from-etcd-snapshot and --${flag} exclude each other`);
  }
  const dir = await mkdtemp(join(tmpdir(), "kybern-snapshot-"));
  let member: SnapshotMember;
  try {
    member = await startSnapshotMember(given["from-etcd-snapshot"], dir);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    flags: {
      "data-dir": dir,
      "etcd-servers": [member.url],
      "etcd-cafile": "",
      "etcd-certfile": "",
      "etcd-keyfile": "",
      nodes: 0,
      components: [],
    },
    close: async () => {
      await member.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
