/** How the files of processes are read: what is not there is empty. */
export interface ProcessFiles {
  read(path: string): Promise<string>;
  list(path: string): Promise<readonly string[]>;
  /** Where a link leads. */
  link(path: string): Promise<string>;
}

/** What the processes of a cgroup have open. */
export interface ProcessStats {
  readonly processes: number;
  readonly files: number;
  readonly sockets: number;
  /** Of the first process, what it may have open; undefined without processes, -1 for as many as it likes. */
  readonly filesMax: number | undefined;
}

/** Processes of one cgroup that are looked into; what more there are is counted alone. */
const LOOKED_MAX = 200;

/** Counts processes by the text of `cgroup.procs`, and what they have open by `/proc`. */
export async function processStats(procs: string, files: ProcessFiles): Promise<ProcessStats> {
  const pids = pidsOf(procs);
  let [open, sockets] = [0, 0];
  for (const pid of pids.slice(0, LOOKED_MAX)) {
    const names = await files.list(`/proc/${pid}/fd`);
    const links = await Promise.all(names.map((name) => files.link(`/proc/${pid}/fd/${name}`)));
    open += names.length;
    sockets += links.filter((link) => link.startsWith("socket:")).length;
  }
  const [first] = pids;
  const limits = first === undefined ? "" : await files.read(`/proc/${first}/limits`);
  const limit = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  const filesMax = limit === undefined ? undefined : limit === "unlimited" ? -1 : Number(limit);
  return { processes: pids.length, files: open, sockets, filesMax };
}

/** The processes of a cgroup, as their namespace of processes numbers them. */
export function pidsOf(procs: string): readonly number[] {
  return procs.split("\n").filter(Boolean).map(Number);
}
