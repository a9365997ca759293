import type { RequestInfo } from "../request/request-info.ts";

/** Bytes of a list that one seat stands for, as upstream's `bytesPerSeat`. */
const BYTES_PER_SEAT = 100_000;
/** A list from the cache is written piece by piece: no more than this is held at once, as upstream's. */
const LIST_BYTES_MAX = 1_000_000;
/** Widest list in seats, as upstream's `MaximumListSeatsLimit`. */
const LIST_SEATS_MAX = 100;

/** What is known of a resource's objects. */
export interface ResourceSize {
  readonly count: number;
  readonly averageBytes: number;
}

/**
 * How many seats a request takes: a list as many as its size asks for, everything else one (upstream's work estimator).
 * `maxSeats` is the level's widest request.
 */
export function estimateSeats(
  info: RequestInfo,
  query: URLSearchParams,
  maxSeats: number,
  sizeOf: (info: RequestInfo) => ResourceSize | undefined,
): number {
  if (info.verb !== "list" && info.verb !== "watch") return 1;
  if (info.verb === "watch" && !sendsInitialState(query)) return 1;
  const size = sizeOf(info);
  if (size === undefined) return 1;
  const limit = Number(query.get("limit") ?? "0");
  const limited = limit > 0 && limit < size.count ? limit : size.count;
  const loaded = info.name === "" ? limited : 1;
  const bytes = Math.min(loaded * size.averageBytes, LIST_BYTES_MAX);
  return Math.max(1, Math.min(Math.ceil(bytes / BYTES_PER_SEAT), maxSeats, LIST_SEATS_MAX));
}

function sendsInitialState(query: URLSearchParams): boolean {
  const version = query.get("resourceVersion") ?? "";
  return query.get("sendInitialEvents") === "true" || version === "" || version === "0";
}
