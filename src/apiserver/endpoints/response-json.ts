import { type Status, StatusError } from "#apimachinery/api-errors/status.ts";
import { type ApiResponse, isResponseStream, type ResponseStream } from "./response.ts";

/** The JSON of an answer that ends; throws what a failed one says. */
export async function jsonOf({ status, body }: ApiResponse): Promise<unknown> {
  const text = isResponseStream(body) ? await collect(body) : textOf(body);
  const value = parsed(text);
  if (status < 400) return value;
  if (isStatus(value)) throw new StatusError(value);
  throw new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: text,
    reason: status === 404 ? "NotFound" : "Unknown",
    code: status,
  });
}

function textOf(body: string | Uint8Array | readonly Uint8Array[]): string {
  if (typeof body === "string") return body;
  return Buffer.concat(body instanceof Uint8Array ? [body] : body).toString("utf8");
}

/** Takes a stream as fast as it comes. */
function collect(stream: ResponseStream): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.start({
      write(chunk) {
        chunks.push(Buffer.from(chunk));
        return true;
      },
      end: () => resolve(Buffer.concat(chunks).toString("utf8")),
      abort: () => resolve(Buffer.concat(chunks).toString("utf8")),
      onDrain: () => {},
      onClose: () => {},
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "Status";
}
