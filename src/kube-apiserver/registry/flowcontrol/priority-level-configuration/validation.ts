import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from "#api/generated/flowcontrol/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { type FieldError, forbidden, invalid, notSupported, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { defaultPriorityLevels } from "../../../bootstrap/flow-control.ts";

const QUEUES_MAX = 10_000_000;
/** A hand of queues is dealt from one 64 bit hash. */
const ENTROPY_BITS_MAX = 60;
const NOT_NEGATIVE = "must be a non-negative integer";
const spec = FieldPath.of("spec");

/** Upstream's `ValidatePriorityLevelConfiguration` without the metadata rules. */
export function validatePriorityLevel(level: PriorityLevelConfiguration): FieldError[] {
  const { type = "", limited, exempt } = level.spec ?? {};
  const { name = "" } = level.metadata;
  const errors: FieldError[] = [];
  if ((name === "exempt") !== (type === "Exempt")) {
    errors.push(invalid(spec.child("type"), type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  const limitedPath = spec.child("limited");
  const exemptPath = spec.child("exempt");
  if (type === "Exempt") {
    if (limited) errors.push(forbidden(limitedPath, "must be nil if the type is not Limited"));
    if (exempt) errors.push(...validateShares(exempt, exemptPath));
  } else if (type === "Limited") {
    if (exempt) errors.push(forbidden(exemptPath, "must be nil if the type is Limited"));
    if (limited) errors.push(...validateLimited(limited, limitedPath));
    else errors.push(required(limitedPath, "must not be empty when type is Limited"));
  } else errors.push(notSupported(spec.child("type"), type, ["Exempt", "Limited"]));
  return [...errors, ...fixedErrors(level, name)];
}

/** Of the levels that the server cannot do without only the shares of `exempt` may change. */
function fixedErrors(level: PriorityLevelConfiguration, name: string): FieldError[] {
  if (name !== "exempt" && name !== "catch-all") return [];
  const fixed = defaultPriorityLevels().find(({ metadata }) => metadata.name === name);
  const kept = name === "exempt" ? { ...fixed?.spec, exempt: level.spec?.exempt } : fixed?.spec;
  if (semanticEqual(level.spec, kept)) return [];
  const except = name === "exempt" ? " except the 'spec.exempt' field" : "";
  return [invalid(spec, inGoForm(level), `spec of '${name}'${except} must equal the fixed value`)];
}

function validateShares(
  { nominalConcurrencyShares: shares = 0, lendablePercent: percent = 0 }: LimitedPriorityLevelConfiguration,
  path: FieldPath,
): FieldError[] {
  return [...sharesErrors(shares, path), ...lendableErrors(percent, path)];
}

function sharesErrors(shares: number, path: FieldPath): FieldError[] {
  return shares < 0 ? [invalid(path.child("nominalConcurrencyShares"), shares, NOT_NEGATIVE)] : [];
}

function lendableErrors(percent: number, path: FieldPath): FieldError[] {
  if (percent >= 0 && percent <= 100) return [];
  return [invalid(path.child("lendablePercent"), percent, "must be between 0 and 100, inclusive")];
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, path: FieldPath): FieldError[] {
  const { nominalConcurrencyShares = 0, limitResponse, lendablePercent = 0, borrowingLimitPercent } = limited;
  const errors = [
    ...sharesErrors(nominalConcurrencyShares, path),
    ...validateResponse(limitResponse, path.child("limitResponse")),
    ...lendableErrors(lendablePercent, path),
  ];
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    errors.push(invalid(path.child("borrowingLimitPercent"), borrowingLimitPercent, `if specified, ${NOT_NEGATIVE}`));
  }
  return errors;
}

function validateResponse(response: LimitResponse | undefined, path: FieldPath): FieldError[] {
  const { type = "", queuing } = response ?? {};
  const at = path.child("queuing");
  if (type === "Reject") return queuing ? [forbidden(at, "must be nil if limited.limitResponse.type is not Limited")] : [];
  if (type !== "Queue") return [notSupported(path.child("type"), type, ["Queue", "Reject"])];
  if (!queuing) return [required(at, "must not be empty if limited.limitResponse.type is Limited")];
  return validateQueuing(queuing, at);
}

function validateQueuing(queuing: QueuingConfiguration, path: FieldPath): FieldError[] {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  const errors: FieldError[] = [];
  const positive = "must be positive";
  if (queueLengthLimit <= 0) errors.push(invalid(path.child("queueLengthLimit"), queueLengthLimit, positive));
  if (queues <= 0) errors.push(invalid(path.child("queues"), queues, positive));
  else if (queues > QUEUES_MAX) errors.push(invalid(path.child("queues"), queues, `must not be greater than ${QUEUES_MAX}`));
  const hand = path.child("handSize");
  if (handSize <= 0) errors.push(invalid(hand, handSize, positive));
  else if (handSize > queues) errors.push(invalid(hand, handSize, `should not be greater than queues (${queues})`));
  else if (Math.ceil(Math.log2(queues) * handSize) > ENTROPY_BITS_MAX) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${ENTROPY_BITS_MAX}`;
    errors.push(invalid(hand, handSize, detail));
  }
  return errors;
}

/** The spec in upstream's internal form, in the order of its structs. */
function inGoForm({ spec: given }: PriorityLevelConfiguration): object {
  const { type = "", limited, exempt } = given ?? {};
  const queuing = limited?.limitResponse?.queuing;
  return {
    Type: type,
    Limited: limited
      ? {
          NominalConcurrencyShares: limited.nominalConcurrencyShares ?? 0,
          LimitResponse: {
            Type: limited.limitResponse?.type ?? "",
            Queuing: queuing
              ? { Queues: queuing.queues ?? 0, HandSize: queuing.handSize ?? 0, QueueLengthLimit: queuing.queueLengthLimit ?? 0 }
              : null,
          },
          LendablePercent: limited.lendablePercent ?? null,
          BorrowingLimitPercent: limited.borrowingLimitPercent ?? null,
        }
      : null,
    Exempt: exempt
      ? { NominalConcurrencyShares: exempt.nominalConcurrencyShares ?? null, LendablePercent: exempt.lendablePercent ?? null }
      : null,
  };
}
