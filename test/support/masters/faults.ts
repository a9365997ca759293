import type { Fault } from "./damage.ts";
import { diskFaults, memberFaults, storeFaults } from "./etcd-faults.ts";
import { clockFaults, leaderFaults } from "./leader-faults.ts";
import { hasStrace } from "./masters.ts";
import { serverFaults } from "./server-faults.ts";

/** Every fault that can be made at any time. */
export const FAULTS: readonly Fault[] = [
  ...memberFaults,
  ...serverFaults,
  ...leaderFaults,
  ...clockFaults,
  ...(hasStrace ? diskFaults : []),
  ...storeFaults,
];
