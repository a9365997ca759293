/** A line of `/proc/self/mountinfo`. */
export interface MountPoint {
  readonly id: number;
  /** What of its file system is mounted: `/`, or a folder of it with a bind mount. */
  readonly root: string;
  readonly path: string;
  /** The file system, as `major:minor`. */
  readonly device: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Reads `/proc/self/mountinfo`, in the order in which was mounted. */
export function parseMountInfo(text: string): readonly MountPoint[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [id = "", , device = "", root = "", path = "", options = ""] = before.split(" ");
    const [type = "", source = ""] = after.split(" ");
    if (path === "") return [];
    const own = { id: Number(id), device, options: options.split(","), type };
    return [{ ...own, root: unescapeOctal(root), path: unescapeOctal(path), source: unescapeOctal(source) }];
  });
}

/** Spaces, tabs, newlines and backslashes are written as octal numbers. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Whether `path` is `base` or inside of it. */
export function isWithin(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith("/") ? base : `${base}/`);
}
