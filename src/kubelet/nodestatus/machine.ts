/** What a machine is and has. */
export interface MachineInfo {
  /** Logical processors that are on. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** 0 where there is none. */
  readonly swapBytes: number;
  /** How many there are of each size, by the size in KiB. */
  readonly hugePages: Readonly<Record<number, number>>;
  readonly machineId: string;
  readonly systemUuid: string;
  /** Another one after each boot. */
  readonly bootId: string;
  readonly kernelVersion: string;
  /** The distribution's name for people. */
  readonly osImage: string;
  /** As Go names it: `amd64`, `arm64`. */
  readonly architecture: string;
}

/** Room of a file system. */
export interface FileSystemInfo {
  readonly capacityBytes: number;
  /** For who is not root. */
  readonly availableBytes: number;
  /** For root too. */
  readonly freeBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** The machine that a node is, to be asked. */
export interface Machine {
  info(): Promise<MachineInfo>;
  /** Of the file system that holds a path. Rejects when there is no such path. */
  fileSystem(path: string): Promise<FileSystemInfo>;
  /** Addresses of all network interfaces. */
  addresses(): readonly string[];
  /** Addresses behind a name; none where nobody knows it. */
  lookup(name: string): Promise<readonly string[]>;
  /** The address of the interface that the default route leaves by. */
  defaultAddress(family: 4 | 6): Promise<string | undefined>;
}
