/** Whom nodes believe, and who vouches for them. */
export interface NodeAuthority {
  /** PEM of the authority of clients. */
  readonly clientCa: string;
  /** A certificate with its key for a node's own server, for the node's name and addresses. PEM. */
  readonly issueServing: (nodeName: string, hosts: readonly string[]) => { readonly cert: string; readonly key: string };
}
