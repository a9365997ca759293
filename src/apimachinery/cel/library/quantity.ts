import {
  formatQuantity,
  newQuantity,
  parseQuantity,
  type Quantity,
  quantityAdd,
  quantityCompare,
  quantitySign,
  quantitySub,
} from "../../resource/quantity.ts";
import { type Declaration, declareFunction, declareMethod } from "../declarations.ts";
import { BOOL, type CelType, DOUBLE, INT, STRING, structOf } from "../types.ts";
import { CelError, type CelValue, LibraryValue } from "../values.ts";

/** The type of `quantity('1Gi')`. */
export const QUANTITY: CelType = structOf("kubernetes.Quantity");

class QuantityValue extends LibraryValue {
  readonly typeName = "kubernetes.Quantity";
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: LibraryValue): boolean {
    return other instanceof QuantityValue && quantityCompare(this.quantity, other.quantity) === 0;
  }
}

/** A quantity as a value of an expression. */
export function quantityValue(quantity: Quantity): CelValue {
  return new QuantityValue(quantity);
}

const of = (value: CelValue | undefined): Quantity => (value as QuantityValue).quantity;
const whole = (value: CelValue | undefined): Quantity => newQuantity(value as bigint, 0, "DecimalExponent");

/** Kubernetes' quantity library. */
export const quantities: readonly Declaration[] = [
  declareFunction("quantity", "string_to_quantity", [STRING], QUANTITY, ([text]) => {
    try {
      return new QuantityValue(parseQuantity(text as string));
    } catch (thrown) {
      throw new CelError(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }),
  declareFunction("isQuantity", "is_quantity_string", [STRING], BOOL, ([text]) => isQuantity(text as string)),
  declareFunction("sign", "quantity_sign", [QUANTITY], INT, ([value]) => BigInt(quantitySign(of(value)))),
  declareMethod(
    "isGreaterThan",
    "quantity_is_greater_than",
    [QUANTITY, QUANTITY],
    BOOL,
    ([a, b]) => quantityCompare(of(a), of(b)) > 0,
  ),
  declareMethod("isLessThan", "quantity_is_less_than", [QUANTITY, QUANTITY], BOOL, ([a, b]) => quantityCompare(of(a), of(b)) < 0),
  declareMethod("compareTo", "quantity_compare_to", [QUANTITY, QUANTITY], INT, ([a, b]) =>
    BigInt(Math.sign(quantityCompare(of(a), of(b)))),
  ),
  declareMethod("asApproximateFloat", "quantity_get_float", [QUANTITY], DOUBLE, ([value]) => {
    const { unscaled, exponent } = of(value);
    return Number(`${unscaled}e${exponent}`);
  }),
  declareMethod("asInteger", "quantity_get_int", [QUANTITY], INT, ([value]) => {
    const integer = asInteger(of(value));
    if (integer === undefined) throw new CelError("cannot convert value to integer");
    return integer;
  }),
  declareMethod("isInteger", "quantity_is_integer", [QUANTITY], BOOL, ([value]) => asInteger(of(value)) !== undefined),
  declareMethod("add", "quantity_add", [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => new QuantityValue(quantityAdd(of(a), of(b)))),
  declareMethod(
    "add",
    "quantity_add_int",
    [QUANTITY, INT],
    QUANTITY,
    ([a, b]) => new QuantityValue(quantityAdd(of(a), whole(b))),
  ),
  declareMethod("sub", "quantity_sub", [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => new QuantityValue(quantitySub(of(a), of(b)))),
  declareMethod(
    "sub",
    "quantity_sub_int",
    [QUANTITY, INT],
    QUANTITY,
    ([a, b]) => new QuantityValue(quantitySub(of(a), whole(b))),
  ),
];

function isQuantity(text: string): boolean {
  try {
    formatQuantity(parseQuantity(text));
    return true;
  } catch {
    return false;
  }
}

/** Powers of ten beyond this are no 64-bit integers. */
const EXPONENT_MAX = 18;

function asInteger({ unscaled, exponent }: Quantity): bigint | undefined {
  if (unscaled === 0n) return 0n;
  if (exponent > EXPONENT_MAX) return undefined;
  const unit = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && unscaled % unit !== 0n) return undefined;
  const value = exponent < 0 ? unscaled / unit : unscaled * unit;
  return BigInt.asIntN(64, value) === value ? value : undefined;
}
