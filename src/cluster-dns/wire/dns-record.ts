interface RecordHead {
  /** In lower case, without the last dot. */
  readonly name: string;
  /** How long it may be kept, in seconds. */
  readonly ttl: number;
}

/** A record that this server makes. Names are in lower case, without the last dot. */
export type DnsRecord = RecordHead &
  (
    | { readonly type: "A" | "AAAA"; readonly address: Buffer }
    | { readonly type: "CNAME" | "PTR" | "NS"; readonly target: string }
    | { readonly type: "TXT"; readonly text: string }
    | {
        readonly type: "SRV";
        readonly priority: number;
        readonly weight: number;
        readonly port: number;
        readonly target: string;
      }
    | {
        readonly type: "SOA";
        readonly primary: string;
        readonly mailbox: string;
        readonly serial: number;
        /** How long others may remember that something is not there, in seconds. */
        readonly negativeTtl: number;
      }
  );
