import { readFile } from "node:fs/promises";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import type { RequestHeaderOptions } from "#kube-apiserver/authentication/authentication-options.ts";
import type { CertificatePair } from "#pki/key-pair.ts";
import { file, list } from "./flag-specs.ts";

type FrontProxyFlagTypes = {
  readonly "requestheader-client-ca-file": "string";
  readonly "requestheader-allowed-names": "strings";
  readonly "requestheader-username-headers": "strings";
  readonly "requestheader-uid-headers": "strings";
  readonly "requestheader-group-headers": "strings";
  readonly "requestheader-extra-headers-prefix": "strings";
  readonly "proxy-client-cert-file": "string";
  readonly "proxy-client-key-file": "string";
};

/** Upstream's flags for proxies in front of the API server, and for the API server as a proxy in front of others. */
export const frontProxyFlags: { readonly [N in keyof FrontProxyFlagTypes]: FlagSpec<FrontProxyFlagTypes[N]> } = {
  "requestheader-client-ca-file": file("Authorities of front proxies; there are none when empty."),
  "requestheader-allowed-names": list("NAMES", "Common names that a front proxy may have; any when empty."),
  "requestheader-username-headers": list("NAMES", "Where it writes for whom it asks.", ["x-remote-user"]),
  "requestheader-uid-headers": list("NAMES", "Where it writes that user's UID."),
  "requestheader-group-headers": list("NAMES", "Where it writes that user's groups.", ["x-remote-group"]),
  "requestheader-extra-headers-prefix": list("PREFIXES", "What other headers about that user begin with.", ["x-remote-extra-"]),
  "proxy-client-cert-file": file("What the API server shows to aggregated API servers."),
  "proxy-client-key-file": file("Key of that certificate."),
};

type FrontProxyFlags = ParsedFlags<typeof frontProxyFlags>;

/** Whom the API server believes what it says of users. */
export function requestHeaderOptions(flags: FrontProxyFlags): RequestHeaderOptions {
  const caFile = flags["requestheader-client-ca-file"];
  return {
    ...(caFile === "" ? {} : { clientCaFile: caFile }),
    allowedNames: flags["requestheader-allowed-names"],
    headers: {
      username: flags["requestheader-username-headers"],
      uid: flags["requestheader-uid-headers"],
      group: flags["requestheader-group-headers"],
      extraPrefix: flags["requestheader-extra-headers-prefix"],
    },
  };
}

/** What the API server shows of itself as a proxy; undefined where the flags are empty. */
export async function proxyClient(flags: FrontProxyFlags): Promise<CertificatePair | undefined> {
  const [cert, key] = [flags["proxy-client-cert-file"], flags["proxy-client-key-file"]];
  if ((cert === "") !== (key === "")) {
    throw new FlagError("flags --proxy-client-cert-file and --proxy-client-key-file go together");
  }
  return cert === "" ? undefined : { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}
