/** A chain: what it is hooked to, if it is, and its rules. */
export interface NftChain {
  /** `type nat hook prerouting priority -100`. */
  readonly hook?: string;
  readonly comment?: string;
  readonly rules: readonly string[];
}

/** A set or map, without what is in it. */
export interface NftSet {
  readonly kind: "set" | "map";
  /** What stands between the braces. */
  readonly definition: string;
}

/** One element of a set or map. */
export interface NftElement {
  readonly container: string;
  readonly key: string;
  /** Of maps. */
  readonly value?: string;
  readonly comment?: string;
}

/** A part of the table that stands and falls with one Service, or with the node. Chains and sets are nobody else's; elements may be claimed by several. */
export interface NftFragment {
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly sets: ReadonlyMap<string, NftSet>;
  readonly elements: readonly NftElement[];
}

/** What stands for nothing. */
export const NO_FRAGMENT: NftFragment = { chains: new Map(), sets: new Map(), elements: [] };
