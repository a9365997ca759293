/**
 * A path to a field in an API object, printed as upstream's `field.Path` (`spec.containers[0].image`). Every check makes
 * paths and few print them: the text is put together when it is asked for.
 */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #step: string | number;
  readonly #bracketed: boolean;

  private constructor(parent: FieldPath | undefined, step: string | number, bracketed: boolean) {
    this.#parent = parent;
    this.#step = step;
    this.#bracketed = bracketed;
  }

  static of(name: string, ...more: readonly string[]): FieldPath {
    return FieldPath.root.child(name, ...more);
  }

  /** The empty path; prints as `<nil>`. */
  static readonly root: FieldPath = new FieldPath(undefined, "", false);

  child(name: string, ...more: readonly string[]): FieldPath {
    let path = new FieldPath(this, name, false);
    for (const step of more) path = new FieldPath(path, step, false);
    return path;
  }

  index(i: number): FieldPath {
    return new FieldPath(this, i, true);
  }

  key(k: string): FieldPath {
    return new FieldPath(this, k, true);
  }

  toString(): string {
    const text = this.#text();
    return text === "" ? "<nil>" : text;
  }

  #text(): string {
    if (this.#parent === undefined) return "";
    const before = this.#parent.#text();
    if (this.#bracketed) return `${before}[${this.#step}]`;
    return before === "" ? String(this.#step) : `${before}.${this.#step}`;
  }
}
