/** A log that grows, as a file. Offsets are bytes. */
export interface LogFile {
  /** The first byte that is still there: a log of limited size loses its beginning. */
  start(): number;
  /** Where it ends so far. */
  end(): Promise<number>;
  /** Bytes from an offset on; none at the end. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Calls after every change until the returned function is called. */
  watch(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Where the logs of containers are read: files of the node, or what a simulated runtime keeps. */
export interface LogFiles {
  /** Rejects with `code: "ENOENT"` when there is none. */
  open(path: string): Promise<LogFile>;
}
