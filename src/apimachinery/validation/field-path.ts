/** A path to a field in an API object, printed as upstream's `field.Path` (`spec.containers[0].image`). */
export class FieldPath {
  readonly #text: string;
  private constructor(text: string) {
    this.#text = text;
  }
  static of(name: string, ...more: readonly string[]): FieldPath {
    return new FieldPath([name, ...more].join("."));
  }
  /** The empty path; prints as `<nil>`. */
  static readonly root: FieldPath = new FieldPath("");
  child(name: string, ...more: readonly string[]): FieldPath {
    const tail = [name, ...more].join(".");
    return new FieldPath(this.#text === "" ? tail : `${this.#text}.${tail}`);
  }
  index(i: number): FieldPath {
    return new FieldPath(`${this.#text}[${i}]`);
  }
  key(k: string): FieldPath {
    return new FieldPath(`${this.#text}[${k}]`);
  }
  toString(): string {
    return this.#text === "" ? "<nil>" : this.#text;
  }
}
