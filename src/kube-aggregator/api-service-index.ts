import type { APIService } from "#api/generated/apiregistration/v1.ts";
import { compareVersions } from "#apiserver/discovery/served-groups.ts";

/** Where requests for a group and version go. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** Its `Available` condition is true. */
  readonly available: boolean;
  readonly insecure: boolean;
  /** PEM; the system's authorities when undefined. */
  readonly ca: string | undefined;
}

/** A group as `/apis` lists it, the preferred version first. */
export interface RegisteredGroup {
  readonly name: string;
  readonly versions: readonly string[];
}

/** What the APIServices of a cluster say, ready to be asked. */
export interface ApiServiceIndex {
  /** By `group/version`; what this server serves itself is not among them. */
  readonly remote: ReadonlyMap<string, RemoteVersion>;
  /** In the order of discovery, without the core group. */
  readonly groups: readonly RegisteredGroup[];
}

const HTTPS_PORT = 443;

/** Sorts and indexes APIServices (upstream's `SortedByGroupAndVersion`). */
export function indexApiServices(apiServices: readonly APIService[]): ApiServiceIndex {
  const remote = new Map<string, RemoteVersion>();
  const byGroup = new Map<string, APIService[]>();
  for (const apiService of apiServices) {
    const found = remoteVersion(apiService);
    if (found !== undefined) remote.set(`${found.group}/${found.version}`, found);
    const group = apiService.spec.group ?? "";
    if (group === "") continue;
    const members = byGroup.get(group);
    if (members === undefined) byGroup.set(group, [apiService]);
    else members.push(apiService);
  }
  const groups = [...byGroup]
    .map(([name, members]) => ({ name, members, priority: Math.max(...members.map(({ spec }) => spec.groupPriorityMinimum)) }))
    .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
    .map(({ name, members }) => ({ name, versions: members.sort(byVersion).map(({ spec }) => spec.version ?? "") }));
  return { remote, groups };
}

function byVersion({ spec: a }: APIService, { spec: b }: APIService): number {
  return b.versionPriority - a.versionPriority || compareVersions(a.version ?? "", b.version ?? "");
}

function remoteVersion({ spec, status }: APIService): RemoteVersion | undefined {
  const { service } = spec;
  if (service === undefined) return undefined;
  return {
    group: spec.group ?? "",
    version: spec.version ?? "",
    namespace: service.namespace ?? "",
    service: service.name ?? "",
    port: service.port ?? HTTPS_PORT,
    available: status?.conditions?.some(({ type, status }) => type === "Available" && status === "True") === true,
    insecure: spec.insecureSkipTLSVerify === true,
    ca: spec.caBundle ? Buffer.from(spec.caBundle, "base64").toString("utf8") : undefined,
  };
}
