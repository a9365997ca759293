/** One flow of the kernel's table of connections, as far as it matters here. */
export interface Flow {
  readonly protocol: string;
  /** Where its client sent it. */
  readonly destination: string;
  readonly destinationPort: number;
  /** Who answers: an endpoint, where the destination was translated. */
  readonly answers: string;
}

/** Reads lines of `conntrack -L`. Lines that are no flows are passed over. */
export function readFlows(output: string): readonly Flow[] {
  return output.split("\n").flatMap((line) => {
    const protocol = /^(?:ipv[46]\s+\d+\s+)?(\w+)\s+\d+/.exec(line)?.[1];
    // Each stands twice: as the client sends, and as the answer comes.
    const destination = /\bdst=(\S+)/.exec(line)?.[1];
    const port = /\bdport=(\d+)/.exec(line)?.[1];
    const answers = [...line.matchAll(/\bsrc=(\S+)/g)][1]?.[1];
    if (protocol === undefined || destination === undefined || port === undefined || answers === undefined) return [];
    return [{ protocol, destination, destinationPort: Number(port), answers }];
  });
}
