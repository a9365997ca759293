import { parseDuration, parseTimestamp, timestampText } from "#apimachinery/cel/time-text.ts";
import { CelError } from "#apimachinery/cel/values.ts";
import { parseGoDuration } from "#apimachinery/go-duration.ts";
import {
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  quantityAdd,
  quantityCompare,
} from "#apimachinery/resource/quantity.ts";
import { canonicalBase64 } from "#apimachinery/schema/base64.ts";
import { canonicalMicroTime, canonicalTime } from "#apimachinery/schema/go-time.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { formatCidr, formatIp, parseCidr, parseIp } from "#apimachinery/validation/ip.ts";
import * as names from "#apimachinery/validation/names.ts";
import { validateWebhookUrl } from "#apimachinery/validation/webhook.ts";
import { parseCronSchedule } from "#component-helpers/cron/cron-schedule.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const NAME_CHECKS: readonly ((text: string) => unknown)[] = Object.entries(names).flatMap(([name, check]) =>
  /^is(?!ValidPortNum|InRange|ValidUserId|ValidGroupId)/.test(name) && typeof check === "function"
    ? [check as (text: string) => unknown]
    : [],
);

/** Small texts with a meaning: amounts, times, schedules, addresses, names. */
export const target: FuzzTarget = {
  seeds: [
    "1Gi",
    "-1500m",
    "0.5e3",
    "1e-1000",
    "123456789012345678901234567890Ei",
    "+.5n",
    "1E1000000000",
    "1h30m5.5s",
    "-1.5us",
    "2562047h47m16.854775807s",
    "2026-01-01T00:00:00Z",
    "2026-02-30T23:59:60.123456789+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999-23:59",
    "*/5 0-6,12 1,15 jan-jun mon",
    "@every 1h",
    "TZ=Europe/Berlin 0 2 * * *",
    "CRON_TZ=/../x @daily",
    "0 0 31 2 *",
    "10.0.0.0/8",
    "::ffff:1.2.3.4",
    "2001:db8::/32",
    "010.1.1.1",
    "fe80::1%eth0",
    "a.b/c-d",
    "https://a.b:1/c?d#e",
    "AAEC/+==",
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    amounts(text);
    times(text);
    addresses(text);
    for (const isName of NAME_CHECKS) isName(text);
    validateWebhookUrl(text, FieldPath.of("url"));
    refusing([Error], () => canonicalBase64(text));
    const schedule = refusing([Error], () => parseCronSchedule(text));
    const after = Date.UTC(2026, 0, 1);
    // Whether there is such a time zone is seen only here.
    const next = schedule && refusing([RangeError], () => schedule.next(after));
    check(next === undefined || next > after, "is due before it is asked");
  },
};

const BEYOND = parseQuantity("1e21");
const MINUS_BEYOND = parseQuantity("-1e21");

function amounts(text: string): void {
  const canonical = refusing([Error], () => canonicalQuantity(text));
  if (canonical !== undefined) {
    check(canonicalQuantity(canonical) === canonical, `${canonical} is no fixed point`);
    const quantity = parseQuantity(text);
    // Upstream has no suffix beyond E, and prints such amounts without any.
    const isSmall = quantityCompare(quantity, BEYOND) < 0 && quantityCompare(quantity, MINUS_BEYOND) > 0;
    const printed = parseQuantity(formatQuantity(quantity));
    check(!isSmall || quantityCompare(quantity, printed) === 0, "is printed as another amount");
    quantityAdd(quantity, parseQuantity("1"));
  }
  const duration = refusing([Error], () => parseGoDuration(text));
  check(duration === undefined || Number.isFinite(duration), "is no duration");
  parseDuration(text);
}

function times(text: string): void {
  for (const canonical of [canonicalTime, canonicalMicroTime]) {
    const time = refusing([Error], () => canonical(text));
    // Behind the year 9999 or before the year 0 Go writes what it does not read.
    if (time !== undefined && time !== null && /^\d{4}-/.test(time)) check(canonical(time) === time, `${time} is no fixed point`);
  }
  const timestamp = refusing([CelError], () => parseTimestamp(text));
  if (timestamp !== undefined) check(parseTimestamp(timestampText(timestamp))?.nanos === timestamp.nanos, "is another moment");
}

function addresses(text: string): void {
  const ip = parseIp(text);
  if (ip !== undefined) check(parseIp(formatIp(ip))?.value === ip.value, "is another address");
  const cidr = parseCidr(text);
  if (cidr !== undefined) check(parseCidr(formatCidr(cidr))?.prefixLength === cidr.prefixLength, "is another network");
}
