import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** Conversions that are remembered for who asks again at once. */
const CONVERSIONS_KEPT_MAX = 256;
/** How often work is begun anew because it needs one more conversion. */
const CONVERSIONS_MAX = 1000;

/** An object of any version in another: at once, or when another server has answered. */
export type Convert = (object: ApiObject, apiVersion: string) => ApiObject | Promise<ApiObject>;

/** Thrown where a conversion is needed that another server is to be asked for: {@link converting} asks. */
export class ConversionNeeded extends Error {
  override readonly name = "ConversionNeeded";
  readonly ask: () => Promise<void>;

  constructor(ask: () => Promise<void>) {
    super("a conversion is needed");
    this.ask = ask;
  }
}

/**
 * Lets pure functions that cannot wait convert objects: they run inside {@link converting}, and begin anew when a conversion
 * that they asked for is there.
 */
export class ConversionMemo {
  readonly #convert: Convert;
  readonly #known = new Map<string, ApiObject>();

  constructor(convert: Convert) {
    this.#convert = convert;
  }

  /** The object in another version: shared, read-only. */
  convert(object: ApiObject, apiVersion: string): ApiObject {
    if (object.apiVersion === apiVersion) return object;
    const key = `${apiVersion} ${JSON.stringify(object)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#convert(object, apiVersion);
    if (!(made instanceof Promise)) return made;
    throw new ConversionNeeded(async () => this.#keep(key, await made));
  }

  #keep(key: string, object: ApiObject): void {
    this.#known.set(key, object);
    if (this.#known.size <= CONVERSIONS_KEPT_MAX) return;
    const oldest = this.#known.keys().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

/**
 * Runs what may need conversions: at once, or again after each that was missing. Until it returns, `run` may change nothing
 * that it reads.
 */
export function converting<T>(run: () => T | Promise<T>): T | Promise<T> {
  const retry = (error: unknown): Promise<T> => {
    if (!(error instanceof ConversionNeeded)) throw error;
    return again(run, error);
  };
  try {
    const result = run();
    return result instanceof Promise ? result.catch(retry) : result;
  } catch (error) {
    return retry(error);
  }
}

async function again<T>(run: () => T | Promise<T>, needed: ConversionNeeded): Promise<T> {
  let missing = needed;
  for (let i = 0; i < CONVERSIONS_MAX; i++) {
    await missing.ask();
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ConversionNeeded)) throw error;
      missing = error;
    }
  }
  throw missing;
}
