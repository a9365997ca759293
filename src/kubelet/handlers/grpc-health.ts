import type { Clock } from "#base/clock.ts";
import { GrpcChannel } from "#base/grpc/grpc-channel.ts";
import { DEADLINE_EXCEEDED, GrpcError, UNIMPLEMENTED } from "#base/grpc/grpc-error.ts";
import { FRAME_HEAD_BYTES } from "#base/grpc/message-writer.ts";
import type { ActionResult } from "./handlers.ts";

const CHECK = "/grpc.health.v1.Health/Check";
const NAMES: readonly string[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;
/** Field 1 of both messages: text in the request, number in the answer. */
const SERVICE_TAG = 0x0a;
const STATUS_TAG = 0x08;

/** Asks a server by gRPC's health protocol how it is (upstream's `probe/grpc`). `timeoutSeconds` is for the connection and the answer together. */
export async function checkGrpcHealth(
  { port, service = "" }: { readonly port: number; readonly service?: string },
  ip: string,
  timeoutSeconds: number,
  clock: Clock,
): Promise<ActionResult> {
  const address = ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
  const timeoutMs = timeoutSeconds * 1000;
  const startedMs = clock.elapsed();
  const channel = new GrpcChannel({ url: `http://${address}`, tls: {}, clock, connectTimeoutMs: timeoutMs });
  try {
    await channel.connect();
    const leftMs = Math.max(1, Math.ceil(timeoutMs - (clock.elapsed() - startedMs)));
    const answer = await channel.unary(CHECK, requestFrame(service), leftMs);
    const status = answer[0] === STATUS_TAG ? (answer[1] ?? 0) : 0;
    if (status === SERVING) return { succeeded: true, message: "service healthy" };
    return { succeeded: false, message: `service unhealthy (responded with "${NAMES[status] ?? status}")` };
  } catch (error) {
    return { succeeded: false, message: problem(error, address, timeoutSeconds) };
  } finally {
    channel.close();
  }
}

function requestFrame(service: string): Buffer {
  const name = Buffer.from(service);
  const length: number[] = [];
  for (let rest = name.length; rest > 0; rest >>>= 7) length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG, ...length), name]);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function problem(error: unknown, address: string, timeoutSeconds: number): string {
  if (!(error instanceof GrpcError)) return `error: health rpc probe failed: ${String(error)}`;
  if (error.code === UNIMPLEMENTED) {
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.message}`;
  }
  // Upstream tries to connect as long as it may.
  if (error.unsent) return `timeout: failed to connect service "${address}" within ${timeoutSeconds}s: context deadline exceeded`;
  if (error.code === DEADLINE_EXCEEDED) return `timeout: health rpc did not complete within ${timeoutSeconds}s`;
  return `error: health rpc probe failed: ${error.goText}`;
}
