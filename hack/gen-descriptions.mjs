/** Writes the texts of `kubectl explain`. */
export function writeDescriptions() {}
