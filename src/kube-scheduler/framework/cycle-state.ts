/** What plugins remember from one step of a pod's scheduling cycle to the next. Lives for one cycle. */
export class CycleState {
  readonly #values = new Map<string, unknown>();
  /** Plugins whose `preFilter` said `Skip`. */
  readonly skipFilter: Set<string> = new Set();
  /** Plugins whose `preScore` said `Skip`. */
  readonly skipScore: Set<string> = new Set();

  /** Keys are plugin names; a plugin reads only what it wrote itself. */
  write(key: string, value: unknown): void {
    this.#values.set(key, value);
  }

  read<T>(key: string): T | undefined {
    return this.#values.get(key) as T | undefined;
  }
}
