/** Where a directory is, and how its entries become users. */
export interface DirectoryOptions {
  /** `ldaps://host:636`, or `ldap://host:389` with {@link startTls}; the first that can be reached is used. */
  readonly urls: readonly string[];
  readonly startTls: boolean;
  /** Authorities of the directory's certificate, in PEM; those of the machine when there is none. */
  readonly ca: string | undefined;
  /** A client certificate and its key, in PEM, for directories that ask for one. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
  /** Who looks people up; without it that is done anonymously. */
  readonly searcher: { readonly dn: string; readonly password: () => Promise<string> } | undefined;
  readonly userBase: string;
  /** What an entry must match besides its name (RFC 4515). */
  readonly userFilter: string;
  /** The attribute that people give as their name. */
  readonly userAttribute: string;
  /** Its value is the user's UID; "" for none. */
  readonly uidAttribute: string;
  /** Attributes that go into the user's `extra`, each under its own name in lower case. */
  readonly extraAttributes: readonly string[];
  /** Holds the DNs of a user's groups, as `memberOf` does; "" for none. */
  readonly memberOfAttribute: string;
  /** Where groups are searched; "" for nowhere. */
  readonly groupBase: string;
  readonly groupFilter: string;
  /** The attribute whose value is the group's name. */
  readonly groupAttribute: string;
  /** The attributes of a group that hold its members. */
  readonly memberAttributes: readonly string[];
  /** Whether those hold DNs or, as `memberUid` does, names. */
  readonly memberValue: "dn" | "name";
  /** Holds a token of the user's; "" for none. */
  readonly tokenAttribute: string;
  /** Longest time, in milliseconds, for a connection and for each operation on it. */
  readonly timeoutMs: number;
}

/** A person of the directory. */
export interface DirectoryUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The directory cannot be asked: nobody knows whether the person is who they say. */
export class DirectoryUnavailable extends Error {
  override readonly name = "DirectoryUnavailable";
}
