import { assert } from "#base/assert.ts";

/** Entries in a leaf and children in a branch, at most. Measured: 32 balances copying on write against depth. */
const WIDTH_MAX = 32;
/** What the left part of a node keeps that is split: ascending inserts are the usual load of a store, so that it stays the fuller one. */
const WIDTH_SPLIT = 24;
/** Below this a node is merged with a neighbour, where both fit in one. */
const WIDTH_MIN = 12;

interface Leaf<V> {
  readonly leaf: true;
  readonly keys: readonly string[];
  readonly values: readonly V[];
}
interface Branch<V> {
  readonly leaf: false;
  /** A lower bound of each child's keys, ascending. */
  readonly keys: readonly string[];
  readonly children: readonly Node<V>[];
  readonly size: number;
}
type Node<V> = Leaf<V> | Branch<V>;

const sizeOf = <V>(node: Node<V>): number => (node.leaf ? node.keys.length : node.size);
const widthOf = <V>(node: Node<V>): number => node.keys.length;

/** The first position whose key is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function childIndex(keys: readonly string[], key: string): number {
  const at = lowerBound(keys, key);
  return at < keys.length && keys[at] === key ? at : Math.max(0, at - 1);
}

/** `size` is known where one child of a node has changed: to ask all of them again would touch the memory of each. */
function resized<V>(keys: readonly string[], children: readonly Node<V>[], size: number): Branch<V> {
  return { leaf: false, keys, children, size };
}

function branch<V>(keys: readonly string[], children: readonly Node<V>[]): Branch<V> {
  let size = 0;
  for (const child of children) size += sizeOf(child);
  return { leaf: false, keys, children, size };
}

function split<V>(node: Node<V>): readonly [Node<V>] | readonly [Node<V>, Node<V>] {
  if (widthOf(node) <= WIDTH_MAX) return [node];
  const at = WIDTH_SPLIT;
  if (node.leaf) {
    return [
      { leaf: true, keys: node.keys.slice(0, at), values: node.values.slice(0, at) },
      { leaf: true, keys: node.keys.slice(at), values: node.values.slice(at) },
    ];
  }
  return [branch(node.keys.slice(0, at), node.children.slice(0, at)), branch(node.keys.slice(at), node.children.slice(at))];
}

function insert<V>(node: Node<V>, key: string, value: V): readonly [Node<V>] | readonly [Node<V>, Node<V>] {
  if (node.leaf) {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] === key) return [{ leaf: true, keys: node.keys, values: node.values.with(at, value) }];
    return split({ leaf: true, keys: node.keys.toSpliced(at, 0, key), values: node.values.toSpliced(at, 0, value) });
  }
  const at = childIndex(node.keys, key);
  // A key before all others lowers the first bound: were that left, a later split of the first child would put a
  // lesser bound behind it, and the bounds would be out of order.
  const keys = key < (node.keys[0] as string) ? node.keys.with(0, key) : node.keys;
  const child = node.children[at] as Node<V>;
  const [left, right] = insert(child, key, value);
  if (right === undefined) return [resized(keys, node.children.with(at, left), node.size + sizeOf(left) - sizeOf(child))];
  const size = node.size + sizeOf(left) + sizeOf(right) - sizeOf(child);
  const more = keys.toSpliced(at + 1, 0, right.keys[0] as string);
  return split(resized(more, node.children.toSpliced(at, 1, left, right), size));
}

/** `count` things in as few groups as are no wider than a node after a split, all as wide as each other: where each begins, and the end. */
function groupsOf(count: number): number[] {
  const groups = Math.ceil(count / WIDTH_SPLIT);
  return Array.from({ length: groups + 1 }, (_, i) => Math.floor((count * i) / groups));
}

/** A tree's root over nodes of one level, in order; undefined where there are none. */
function rootOver<V>(nodes: readonly Node<V>[]): Node<V> | undefined {
  if (nodes.length <= 1) return nodes[0];
  const starts = groupsOf(nodes.length);
  const above = starts.slice(1).map((end, i) => {
    const children = nodes.slice(starts[i], end);
    const bounds = children.map(({ keys }) => keys[0] as string);
    return branch(bounds, children);
  });
  return rootOver(above);
}

/** Both nodes as one, if they fit; `separator` is what their parent knows as the lower bound of `right`. */
function merged<V>(left: Node<V>, separator: string, right: Node<V>): Node<V> | undefined {
  if (widthOf(left) + widthOf(right) > WIDTH_MAX) return undefined;
  if (left.leaf && right.leaf) {
    return { leaf: true, keys: [...left.keys, ...right.keys], values: [...left.values, ...right.values] };
  }
  if (!left.leaf && !right.leaf) {
    return branch([...left.keys, separator, ...right.keys.slice(1)], [...left.children, ...right.children]);
  }
  return undefined;
}

/** The node without the key; undefined when it held nothing else. The same node when the key is absent. */
function remove<V>(node: Node<V>, key: string): Node<V> | undefined {
  if (node.leaf) {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] !== key) return node;
    if (node.keys.length === 1) return undefined;
    return { leaf: true, keys: node.keys.toSpliced(at, 1), values: node.values.toSpliced(at, 1) };
  }
  const at = childIndex(node.keys, key);
  const before = node.children[at] as Node<V>;
  const child = remove(before, key);
  if (child === before) return node;
  if (child === undefined) {
    if (node.children.length === 1) return undefined;
    return resized(node.keys.toSpliced(at, 1), node.children.toSpliced(at, 1), node.size - sizeOf(before));
  }
  const size = node.size + sizeOf(child) - sizeOf(before);
  if (widthOf(child) < WIDTH_MIN && node.children.length > 1) {
    const first = at === 0 ? 0 : at - 1;
    const [left, right] = at === 0 ? [child, node.children[1] as Node<V>] : [node.children[at - 1] as Node<V>, child];
    const both = merged(left, node.keys[first + 1] as string, right);
    if (both !== undefined) return resized(node.keys.toSpliced(first + 1, 1), node.children.toSpliced(first, 2, both), size);
  }
  return resized(node.keys, node.children.with(at, child), size);
}

function collect<V>(node: Node<V>, start: string, end: string | undefined, limit: number, into: V[]): void {
  if (node.leaf) {
    for (let i = lowerBound(node.keys, start); i < node.keys.length && into.length < limit; i++) {
      if (end !== undefined && (node.keys[i] as string) >= end) return;
      into.push(node.values[i] as V);
    }
    return;
  }
  for (let i = childIndex(node.keys, start); i < node.children.length && into.length < limit; i++) {
    if (i > 0 && end !== undefined && (node.keys[i] as string) >= end) return;
    collect(node.children[i] as Node<V>, start, end, limit, into);
  }
}

/** How many branches lie above a leaf. All leaves of a tree are equally deep, and what two trees share is as high in both. */
function heightOf<V>(node: Node<V> | undefined): number {
  let height = 0;
  for (let below = node; below !== undefined && !below.leaf; below = below.children[0]) height++;
  return height;
}

const entriesOf = <V>(node: Node<V>): [string, V][] => (node.leaf ? node.keys.map((key, i) => [key, node.values[i] as V]) : []);
const childrenOf = <V>(nodes: readonly Node<V>[]): Node<V>[] => nodes.flatMap((node) => (node.leaf ? [] : node.children));

/** The leaves of each tree that the other has not. Looks at no node below one that both have. */
function unsharedLeaves<V>(
  one: Node<V> | undefined,
  other: Node<V> | undefined,
): readonly [readonly Node<V>[], readonly Node<V>[]] {
  let [ones, others] = [one, other].map((root) => (root === undefined ? [] : [root])) as [Node<V>[], Node<V>[]];
  let [height, otherHeight] = [heightOf(one), heightOf(other)];
  for (; height > otherHeight; height--) ones = childrenOf(ones);
  for (; otherHeight > height; otherHeight--) others = childrenOf(others);
  for (; ; height--) {
    const [inOne, inOther] = [new Set(ones), new Set(others)];
    ones = ones.filter((node) => !inOther.has(node));
    others = others.filter((node) => !inOne.has(node));
    if (height === 0) return [ones, others];
    [ones, others] = [childrenOf(ones), childrenOf(others)];
  }
}

/** What a key has in one tree and had not in another; no value where it is no longer there. Values are never undefined. */
export interface TreeChange<V> {
  readonly key: string;
  readonly value: V | undefined;
}

/**
 * An immutable map from strings to values, ordered by JavaScript's `<`: a B+ tree that shares all untouched nodes
 * with the tree it was made from. Keeping an old tree is a snapshot that costs only what has changed since.
 */
export class OrderedTree<V> {
  readonly #root: Node<V> | undefined;

  constructor(root?: Node<V>) {
    this.#root = root;
  }

  /** The tree of pairs whose keys ascend: for many a tenth of what setting them one by one costs. Throws where they do not. */
  static ofSorted<V>(keys: readonly string[], values: readonly V[]): OrderedTree<V> {
    assert(keys.length === values.length, "a key for each value");
    for (let i = 1; i < keys.length; i++) assert((keys[i - 1] as string) < (keys[i] as string), "keys that ascend");
    if (keys.length === 0) return new OrderedTree<V>();
    const starts = groupsOf(keys.length);
    const leaves = starts.slice(1).map((end, i): Leaf<V> => {
      const start = starts[i] as number;
      return { leaf: true, keys: keys.slice(start, end), values: values.slice(start, end) };
    });
    return new OrderedTree<V>(rootOver<V>(leaves));
  }

  get size(): number {
    return this.#root === undefined ? 0 : sizeOf(this.#root);
  }

  get(key: string): V | undefined {
    let node = this.#root;
    if (node === undefined) return undefined;
    while (!node.leaf) node = node.children[childIndex(node.keys, key)] as Node<V>;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.values[at] : undefined;
  }

  /** A tree with the key set. */
  with(key: string, value: V): OrderedTree<V> {
    if (this.#root === undefined) return new OrderedTree<V>({ leaf: true, keys: [key], values: [value] });
    const [left, right] = insert(this.#root, key, value);
    if (right === undefined) return new OrderedTree<V>(left);
    return new OrderedTree<V>(branch([left.keys[0] as string, right.keys[0] as string], [left, right]));
  }

  /** A tree without the key; this one when the key is absent. */
  without(key: string): OrderedTree<V> {
    if (this.#root === undefined) return this;
    let root = remove(this.#root, key);
    if (root === this.#root) return this;
    while (root !== undefined && !root.leaf && root.children.length === 1) root = root.children[0];
    return new OrderedTree<V>(root);
  }

  /** How many keys are less than `key`. O(log n). */
  rank(key: string): number {
    let node = this.#root;
    let before = 0;
    while (node !== undefined && !node.leaf) {
      const at = childIndex(node.keys, key);
      for (let i = 0; i < at; i++) before += sizeOf(node.children[i] as Node<V>);
      node = node.children[at];
    }
    return node === undefined ? 0 : before + lowerBound(node.keys, key);
  }

  /** The values of the keys from `start` (inclusive) to `end` (exclusive; no bound when undefined), at most `limit`. */
  range(start: string, end: string | undefined, limit: number = Number.POSITIVE_INFINITY): V[] {
    const values: V[] = [];
    if (this.#root !== undefined) collect(this.#root, start, end, limit, values);
    return values;
  }

  /**
   * What makes this tree of `older`, by identity of values, in no order. Costs O(log n) for each change that lies between them where
   * one was made from the other, and all of both where they have nothing in common.
   */
  changesSince(older: OrderedTree<V>): TreeChange<V>[] {
    if (older === this) return [];
    const [before, after] = unsharedLeaves(older.#root, this.#root);
    const gone = new Map(before.flatMap(entriesOf));
    const changes: TreeChange<V>[] = [];
    for (const [key, value] of after.flatMap(entriesOf)) {
      if (gone.get(key) !== value) changes.push({ key, value });
      gone.delete(key);
    }
    for (const key of gone.keys()) changes.push({ key, value: undefined });
    return changes;
  }

  /** How many keys lie between `start` (inclusive) and `end` (exclusive). O(log n). */
  countRange(start: string, end: string | undefined): number {
    return (end === undefined ? this.size : this.rank(end)) - this.rank(start);
  }
}
