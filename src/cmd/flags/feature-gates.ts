import { FlagError } from "#component-base/flags.ts";
import type { Logger } from "#component-base/logging.ts";

/**
 * Upstream's `--feature-gates`. Here no feature waits behind a gate: what is there is on, so that pairs are checked for their
 * form and a line of the log says what they come to. Throws a {@link FlagError} for what is no pair.
 */
export function readFeatureGates(pairs: readonly string[], logger: Logger): void {
  for (const pair of pairs) {
    const match = /^([A-Za-z]\w*)=(true|false|1|0|t|f)$/i.exec(pair.trim());
    if (match === null) throw new FlagError(`flag --feature-gates takes pairs such as Name=true, not "${pair}"`);
    logger.info({ gate: match[1] }, "a feature gate changes nothing: features that are there are on");
  }
}
