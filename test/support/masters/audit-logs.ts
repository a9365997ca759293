import { readFileSync } from "node:fs";

const NEWLINE = 0x0a;
const WRITES = ["create", "update", "patch", "delete", "deletecollection"];
/** Only what the controllers and the scheduler write, as it came and was answered. */
export const AUDIT_POLICY: object = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    {
      level: "None",
      resources: [
        { group: "coordination.k8s.io", resources: ["leases"] },
        { group: "", resources: ["events"] },
        { group: "events.k8s.io", resources: ["events"] },
      ],
    },
    {
      level: "RequestResponse",
      users: ["system:kube-controller-manager", "system:kube-scheduler"],
      verbs: WRITES,
    },
    { level: "RequestResponse", userGroups: ["system:serviceaccounts:kube-system"], verbs: WRITES },
    { level: "None" },
  ],
};

/** The audit logs of several servers. */
export class AuditLogs {
  readonly #path: (server: string) => string;
  readonly #servers: () => readonly { readonly name: string }[];

  /** `path` says where a server's log is. */
  constructor(servers: () => readonly { readonly name: string }[], path: (server: string) => string) {
    this.#servers = servers;
    this.#path = path;
  }

  /** How much each log holds now: whole lines. */
  sizes(): readonly number[] {
    return this.#servers().map(({ name }) => readFileSync(this.#path(name)).lastIndexOf(NEWLINE) + 1);
  }

  /** The lines of all logs behind those sizes, or all, each with its server. */
  lines(from: readonly number[] = []): { readonly server: string; readonly line: string }[] {
    return this.#servers().flatMap(({ name }, i) => {
      const log = readFileSync(this.#path(name));
      // Behind the last end of a line is what is being written.
      const lines = log
        .subarray(from[i], log.lastIndexOf(NEWLINE) + 1)
        .toString()
        .split("\n");
      return lines.flatMap((line) => (line === "" ? [] : [{ server: name, line }]));
    });
  }
}
