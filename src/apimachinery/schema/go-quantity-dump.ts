const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_SUFFIXES = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A quantity in its canonical form as Go's dump prints what `ParseQuantity` made of it. */
export function dumpQuantity(text: string | undefined): string {
  const { value, scale, format } = text === undefined ? { value: 0n, scale: 0, format: "" } : parse(text);
  return `{i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${text ?? ""} Format:(resource.Format)${format}}`;
}

function parse(text: string): { readonly value: bigint; readonly scale: number; readonly format: string } {
  const [, sign = "", whole = "", fraction = "", suffix = ""] = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/s.exec(text) ?? [];
  const digits = BigInt(`${sign === "-" ? "-" : ""}${`${whole}${fraction}`.replace(/^0+(?=\d)/, "") || "0"}`);
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary >= 0) return { value: digits << BigInt(10 * (binary + 1)), scale: -fraction.length, format: "BinarySI" };
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix);
  if (exponent) return { value: digits, scale: Number(exponent[1]) - fraction.length, format: "DecimalExponent" };
  return { value: digits, scale: (DECIMAL_EXPONENTS[suffix] ?? 0) - fraction.length, format: "DecimalSI" };
}
