/** How a program ended. */
export interface RunResult {
  /** Its exit code; 127 where it is not there, -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An address of this machine. */
export interface LocalAddress {
  readonly interfaceName: string;
  readonly address: string;
}

/** What the proxy touches of the machine. */
export interface ProxyHost {
  /** Runs `nft`, `iptables` or `conntrack` to its end. Never rejects for what the program says. */
  run(program: string, args: readonly string[], input?: string): Promise<RunResult>;
  /** A setting of the kernel by its path below /proc/sys, such as `net/ipv4/ip_forward`; undefined where there is none. */
  readSetting(path: string): Promise<string | undefined>;
  /** Rejects where it may not be written. */
  writeSetting(path: string, value: string): Promise<void>;
  /** A number that a kernel module keeps below /sys/module, such as `nf_conntrack/parameters/hashsize`; undefined where there is none. */
  readModuleParameter(path: string): Promise<string | undefined>;
  /** Rejects where it may not be written. */
  writeModuleParameter(path: string, value: string): Promise<void>;
  /** Of all interfaces, as they are now. */
  localAddresses(): readonly LocalAddress[];
  readonly processors: number;
}

/** A tool of the kernel refused. The message has what it said, shortened. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

const SAID_CHARACTERS_MAX = 1_000;

/** The output of a run that went well. Throws a {@link ToolError} for any other. */
export function outputOf(what: string, { code, stdout, stderr }: RunResult): string {
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).slice(0, SAID_CHARACTERS_MAX);
  throw new ToolError(code === 127 ? `${what}: the program is not there` : `${what} ended with ${code}: ${said}`);
}
