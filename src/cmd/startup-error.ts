/** A program cannot start, for a reason that its user can mend. The message says what to do. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

/** Puts what the operating system refused into words; rethrows what is no such refusal. */
export function explainStartFailure(
  error: unknown,
  what: {
    readonly dataDir: string;
    /** The flag that names it; --data-dir when absent. */
    readonly dirFlag?: string;
    readonly etcdServers: readonly string[];
    readonly address: string;
    readonly port: number;
  },
): never {
  const { dirFlag = "--data-dir" } = what;
  const { code, message, name, path } = error as NodeJS.ErrnoException;
  // By name: the class comes with a YAML parser, which most programs never need.
  if (name === "ConfigurationError") throw new StartupError(message);
  switch (code) {
    case "EADDRINUSE":
      throw new StartupError(
        `port ${what.port} on ${what.address} is in use. Stop what listens there, or choose another with --secure-port.`,
      );
    case "EADDRNOTAVAIL":
      throw new StartupError(`this machine has no address ${what.address}. Choose another with --bind-address.`);
    case "EACCES":
    case "EPERM":
      if (/listen/.test(message))
        throw new StartupError(`no permission to listen on port ${what.port}. Choose one above 1023 with --secure-port.`);
      throw new StartupError(
        `no permission to write in the data directory ${what.dataDir} (${message}). Make it yours, or choose another with ${dirFlag}.`,
      );
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
      throw new StartupError(`the data directory ${what.dataDir} cannot be used: ${message}. Choose another with ${dirFlag}.`);
    case "ENOENT":
      throw new StartupError(`there is no file ${path}, which a flag names.`);
    case "ENOSPC":
      throw new StartupError(`no space left for the data directory ${what.dataDir}.`);
    case "NoSpace":
      throw new StartupError(
        `etcd at ${what.etcdServers.join(", ")} is full: ${message}. Compact and defragment it, then disarm its alarm.`,
      );
    case "Unavailable":
      if (what.etcdServers.length > 0)
        throw new StartupError(
          `etcd at ${what.etcdServers.join(", ")} does not answer: ${message}. Start it, or check --etcd-servers, --etcd-cafile, --etcd-certfile and --etcd-keyfile.`,
        );
      throw new StartupError(
        `the store in ${what.dataDir} cannot be opened: ${message}. If another kybern runs on it, stop that one; otherwise move the directory away, or choose another with ${dirFlag}.`,
      );
    default:
      throw error;
  }
}
