import { networkErrorText } from "../webhook/network-error.ts";

/** What Go says where a connection or a request failed: clients look for parts of these texts. */
export function backendErrorText(error: unknown): string {
  return networkErrorText(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
