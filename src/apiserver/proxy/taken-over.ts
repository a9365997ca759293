import type { ApiResponse } from "../endpoints/response.ts";

/** The answer of a handler that speaks on the connection itself. */
export const TAKEN_OVER: ApiResponse = { status: 101, headers: {}, body: "", takenOver: true };
