import type { FlagSpec, ParsedFlags } from "#component-base/flags.ts";

type LdapAuthnFlagTypes = {
  readonly "bind-address": "string";
  readonly "secure-port": "int";
  readonly "tls-cert-file": "string";
  readonly "tls-private-key-file": "string";
  readonly "client-ca-file": "string";
  readonly "allowed-client-names": "strings";
  readonly "token-kinds": "strings";
  readonly "token-signing-key-file": "string";
  readonly "token-lifetime": "string";
  readonly "username-prefix": "string";
  readonly "groups-prefix": "string";
  readonly "ldap-url": "strings";
  readonly "ldap-start-tls": "bool";
  readonly "ldap-allow-plain-text": "bool";
  readonly "ldap-ca-file": "string";
  readonly "ldap-cert-file": "string";
  readonly "ldap-key-file": "string";
  readonly "ldap-search-user-dn": "string";
  readonly "ldap-search-user-password-file": "string";
  readonly "ldap-base-dn": "string";
  readonly "ldap-user-filter": "string";
  readonly "ldap-user-attribute": "string";
  readonly "ldap-uid-attribute": "string";
  readonly "ldap-extra-attributes": "strings";
  readonly "ldap-token-attribute": "string";
  readonly "ldap-member-of-attribute": "string";
  readonly "ldap-group-base-dn": "string";
  readonly "ldap-group-filter": "string";
  readonly "ldap-group-attribute": "string";
  readonly "ldap-group-member-attributes": "strings";
  readonly "ldap-group-member-value": "string";
  readonly "ldap-timeout": "string";
  readonly "log-level": "string";
  readonly help: "bool";
};

const file = (help: string): FlagSpec<"string"> => ({ type: "string", default: "", placeholder: "FILE", help });
const bool = (help: string): FlagSpec<"bool"> => ({ type: "bool", default: false, help });
const text = (placeholder: string, fallback: string, help: string): FlagSpec<"string"> => ({
  type: "string",
  default: fallback,
  placeholder,
  help,
});
const list = (placeholder: string, fallback: readonly string[], help: string): FlagSpec<"strings"> => ({
  type: "strings",
  default: fallback,
  placeholder,
  help,
});

/** The flags of `kybern ldap-authn`. */
export const ldapAuthnFlags: { readonly [N in keyof LdapAuthnFlagTypes]: FlagSpec<LdapAuthnFlagTypes[N]> } = {
  "bind-address": text("ADDRESS", "127.0.0.1", "Address that is listened on."),
  "secure-port": { type: "int", default: 4000, min: 0, max: 65535, placeholder: "PORT", help: "Port; 0 takes a free one." },
  "tls-cert-file": file("Certificate that is shown, PEM; with those between it and its authority. Read anew when it changes."),
  "tls-private-key-file": file("Its key."),
  "client-ca-file": file("Authorities of the certificates that /authenticate asks for; without it anybody may ask."),
  "allowed-client-names": list("CN", [], "Common names of certificates that may ask; any, when none is given."),
  "token-kinds": list("KIND", ["signed"], "What a token may be: signed, password, attribute. See docs/ldap-authn.md."),
  "token-signing-key-file": file("RSA or ECDSA key of signed tokens; without it one is made, and tokens end with the program."),
  "token-lifetime": text("DURATION", "12h", "How long a signed token is good."),
  "username-prefix": text("TEXT", "", "Stands before the names of users."),
  "groups-prefix": text("TEXT", "", "Stands before the names of groups."),
  "ldap-url": list("URL", [], "The directory: ldaps://HOST:PORT or ldap://HOST:PORT; of several, the first that answers."),
  "ldap-start-tls": bool("Encrypt connections to ldap:// before anything is said on them."),
  "ldap-allow-plain-text": bool("Send passwords over ldap:// without encryption. For a directory on the same machine only."),
  "ldap-ca-file": file("Authorities of the directory's certificate; those of the machine, when it is not given."),
  "ldap-cert-file": file("Client certificate to show to the directory."),
  "ldap-key-file": file("Its key."),
  "ldap-search-user-dn": text("DN", "", "Who looks people up; nobody in particular, when it is not given."),
  "ldap-search-user-password-file": file("That one's password, on the first line. Read at each connection."),
  "ldap-base-dn": text("DN", "", "Where people are looked for."),
  "ldap-user-filter": text("FILTER", "(objectClass=person)", "What people match."),
  "ldap-user-attribute": text("NAME", "uid", "The attribute that is the name."),
  "ldap-uid-attribute": text("NAME", "entryUUID", "The attribute that is the UID."),
  "ldap-extra-attributes": list("NAME", [], "Attributes for the user's extra fields."),
  "ldap-token-attribute": text("NAME", "", "The attribute that holds tokens of the kind attribute."),
  "ldap-member-of-attribute": text("NAME", "", "The attribute of people that holds the DNs of their groups, such as memberOf."),
  "ldap-group-base-dn": text("DN", "", "Where groups are looked for; nowhere, when it is not given."),
  "ldap-group-filter": text(
    "FILTER",
    "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))",
    "What groups match.",
  ),
  "ldap-group-attribute": text("NAME", "cn", "The attribute that is a group's name."),
  "ldap-group-member-attributes": list("NAME", ["member", "uniqueMember"], "The attributes that hold a group's members."),
  "ldap-group-member-value": text("dn|name", "dn", "Whether members are DNs or, as with memberUid, names."),
  "ldap-timeout": text("DURATION", "5s", "Longest time for a connection, and for each question on it."),
  "log-level": text("LEVEL", "info", "What is logged to standard error: debug, info, warn, error or silent."),
  help: bool("Show this help."),
};

/** What a command line of `kybern ldap-authn` says. */
export type LdapAuthnFlags = ParsedFlags<typeof ldapAuthnFlags>;
