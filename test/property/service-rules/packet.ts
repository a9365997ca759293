/** A first packet of a connection, as it comes to the node or leaves it. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly port: number;
  /** Sent by the node itself. */
  readonly isOwn: boolean;
}

/** What becomes of a packet: where it goes, as `address:port`, or how it ends. `masq`: with the node's address as its source. */
export interface Outcome {
  readonly to: string;
  readonly masq: boolean;
}

/** A packet on its way through rules. */
export interface Travelling extends Packet {
  readonly mark: number;
  readonly translated: boolean;
}

/** The node on which rules are tried. */
export interface NodeAddresses {
  readonly local: readonly string[];
}

/** Where a walk through rules goes on, for each way that chance may take: the packet, and what was decided. */
export interface Step {
  readonly packet: Travelling;
  /** `next`: nothing yet. `end`: the hook is done with it. */
  readonly verdict: "next" | "return" | "end" | "drop" | "reject" | "masquerade";
}

/** Outcomes as texts, each once, in order. */
export function shown(outcomes: readonly Outcome[]): readonly string[] {
  return [...new Set(outcomes.map(({ to, masq }) => (masq ? `${to} masqueraded` : to)))].sort();
}
