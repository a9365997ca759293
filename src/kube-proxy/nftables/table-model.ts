import { type NftChain, type NftElement, type NftFragment, type NftSet, NO_FRAGMENT } from "./fragment.ts";

/** What is to be done to the table, in an order that the kernel takes. */
export interface TableChange {
  /** Chains to make, and chains whose rules are to be replaced. */
  readonly chains: readonly (readonly [name: string, chain: NftChain, isNew: boolean])[];
  readonly removedChains: readonly string[];
  readonly sets: readonly (readonly [name: string, set: NftSet])[];
  readonly removedSets: readonly (readonly [name: string, set: NftSet])[];
  readonly elements: readonly NftElement[];
  readonly removedElements: readonly NftElement[];
}

/** What the table holds, by owner. Where several claim an element, the first by name has it. */
export class TableModel {
  readonly #fragments = new Map<string, NftFragment>();
  readonly #claims = new Map<string, Map<string, NftElement>>();
  readonly #winners = new Map<string, NftElement>();

  /** The owners of something. */
  owners(): Iterable<string> {
    return this.#fragments.keys();
  }

  /** Takes fragments as they are now; {@link NO_FRAGMENT} for owners that are gone. Costs what these fragments cost, however many others there are. */
  update(fragments: ReadonlyMap<string, NftFragment>): TableChange {
    const changes = [...fragments].map(([owner, after]) => ({ owner, before: this.#fragments.get(owner) ?? NO_FRAGMENT, after }));
    const chains = changes.flatMap(({ before, after }) => changedChains(before, after));
    const sets = changes.flatMap(({ before, after }) => changedSets(before.sets, after.sets));
    const removedChains = changes.flatMap(({ before, after }) =>
      [...before.chains.keys()].filter((name) => !after.chains.has(name)),
    );
    const removedSets = changes.flatMap(({ before, after }) => changedSets(after.sets, before.sets));
    const keys = changes.flatMap(({ owner, before, after }) => this.#claim(owner, before, after));
    for (const { owner, after } of changes) {
      if (after === NO_FRAGMENT) this.#fragments.delete(owner);
      else this.#fragments.set(owner, after);
    }
    return { chains, removedChains, sets, removedSets, ...this.#settle(keys, new Set(removedSets.map(([name]) => name))) };
  }

  /** Returns the elements that may have changed. */
  #claim(owner: string, before: NftFragment, after: NftFragment): readonly string[] {
    const wanted = new Map(after.elements.map((element) => [elementId(element), element]));
    const touched = new Set(wanted.keys());
    for (const element of before.elements) {
      const id = elementId(element);
      touched.add(id);
      const claims = this.#claims.get(id);
      if (wanted.has(id) || claims === undefined) continue;
      claims.delete(owner);
      if (claims.size === 0) this.#claims.delete(id);
    }
    for (const [id, element] of wanted) {
      const claims = this.#claims.get(id) ?? new Map<string, NftElement>();
      this.#claims.set(id, claims.set(owner, element));
    }
    return [...touched];
  }

  #settle(ids: readonly string[], goneSets: ReadonlySet<string>): Pick<TableChange, "elements" | "removedElements"> {
    const [elements, removedElements]: [NftElement[], NftElement[]] = [[], []];
    for (const id of new Set(ids)) {
      const claims = this.#claims.get(id) ?? new Map<string, NftElement>();
      const first = [...claims.keys()].reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
      const [old, now] = [this.#winners.get(id), first === undefined ? undefined : claims.get(first)];
      const isSame = old !== undefined && now !== undefined && old.value === now.value && old.comment === now.comment;
      if (now === undefined) this.#winners.delete(id);
      else this.#winners.set(id, now);
      // A set that goes, or is made anew, takes its elements along.
      const isGone = old !== undefined && goneSets.has(old.container);
      if (isSame && !isGone) continue;
      if (old !== undefined && !isGone) removedElements.push(old);
      if (now !== undefined) elements.push(now);
    }
    return { elements, removedElements };
  }
}

/** Whether a change changes nothing. */
export function isNothing(change: TableChange): boolean {
  return Object.values(change).every((list: readonly unknown[]) => list.length === 0);
}

function elementId({ container, key }: NftElement): string {
  return `${container} ${key}`;
}

function changedChains(before: NftFragment, after: NftFragment): (readonly [string, NftChain, boolean])[] {
  // The rules of a set that is made anew have to let go of the old one first.
  const renewed = changedSets(before.sets, after.sets).flatMap(([name]) => (before.sets.has(name) ? [`@${name} `] : []));
  return [...after.chains].flatMap(([name, chain]): (readonly [string, NftChain, boolean])[] => {
    const old = before.chains.get(name);
    const rules = chain.rules.join("\n");
    const isSame = old?.rules.join("\n") === rules && !renewed.some((set) => rules.includes(set));
    return isSame ? [] : [[name, chain, old === undefined]];
  });
}

/** Those of `after` that `before` does not have, or has otherwise. */
function changedSets(before: ReadonlyMap<string, NftSet>, after: ReadonlyMap<string, NftSet>): (readonly [string, NftSet])[] {
  return [...after].filter(([name, { definition }]) => before.get(name)?.definition !== definition);
}
