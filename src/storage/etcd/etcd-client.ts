import type { Clock } from "#base/clock.ts";
import { GrpcChannel, type TlsFiles } from "#base/grpc/grpc-channel.ts";
import { DEADLINE_EXCEEDED, GrpcError } from "#base/grpc/grpc-error.ts";
import type { Random } from "#base/random.ts";

/** Where etcd is. */
export interface EtcdEndpoints {
  /** `http://HOST:PORT` or `https://HOST:PORT`; at least one. */
  readonly urls: readonly string[];
  readonly tls: TlsFiles;
}

/** What a read waits for one member before it asks the next. */
const READ_TRY_MS = 3_000;
/** As long as etcd itself tries to get a write through. */
const WRITE_TRY_MS = 7_000;
/** A call that no member has answered by then has failed. */
const CALL_MS = 10_000;
/** Pause when no member could be reached, before all are tried again. */
const ROUND_PAUSE_MS = 250;

/** Calls one of etcd's members: always the same, until that fails. */
export class EtcdClient {
  readonly #channels: readonly GrpcChannel[];
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #current: number;
  /** Called when a member did not answer in time. */
  onLate: (channel: GrpcChannel) => void = () => undefined;

  constructor(endpoints: EtcdEndpoints, options: { readonly clock: Clock; readonly random: Random }) {
    const { clock, random } = options;
    this.#clock = clock;
    this.#channels = endpoints.urls.map((url) => new GrpcChannel({ url, tls: endpoints.tls, clock }));
    // Servers that are started alike shall not all lean on the first member.
    this.#current = random.int(endpoints.urls.length);
  }

  /** The member that is called now. */
  get channel(): GrpcChannel {
    return this.#channels[this.#current] as GrpcChannel;
  }

  /** Calls go to the next member, unless they do so already. */
  leave(channel: GrpcChannel): void {
    if (this.channel !== channel) return;
    this.#current = (this.#current + 1) % this.#channels.length;
  }

  /** A call that changes nothing, or nothing more the second time: members are asked in turn until one answers. */
  read(path: string, frame: Buffer): Promise<Buffer> {
    return this.#call(path, frame, READ_TRY_MS, (error) => error.elsewhere);
  }

  /** A call that must not be made twice: a second try only where the first has surely not been seen. */
  write(path: string, frame: Buffer): Promise<Buffer> {
    return this.#call(path, frame, WRITE_TRY_MS, (error) => error.unsent);
  }

  /** Asks every member; what one does not answer in time is undefined. */
  each(path: string, frame: Buffer, timeoutMs: number): Promise<readonly { url: string; answer: Buffer | undefined }[]> {
    const ask = async (channel: GrpcChannel): Promise<{ url: string; answer: Buffer | undefined }> => ({
      url: channel.url,
      answer: await channel.unary(path, frame, timeoutMs).catch(() => undefined),
    });
    return Promise.all(this.#channels.map(ask));
  }

  close(): void {
    this.#closed.abort();
    for (const channel of this.#channels) channel.close();
  }

  /** The first try; what comes after is for the few that fail. */
  #call(path: string, frame: Buffer, tryMs: number, mayRepeat: (error: GrpcError) => boolean): Promise<Buffer> {
    const deadline = this.#clock.elapsed() + CALL_MS;
    const { channel } = this;
    return channel.unary(path, frame, tryMs).catch(async (thrown: unknown) => {
      for (let [failed, error, tries] = [channel, thrown, 1]; ; tries++) {
        if (!this.#mayTryAgain(failed, error, mayRepeat) || this.#clock.elapsed() >= deadline) throw outOfTime(error);
        if (tries % this.#channels.length === 0) {
          await this.#clock.sleep(ROUND_PAUSE_MS, this.#closed.signal).catch(() => undefined);
        }
        failed = this.channel;
        try {
          return await failed.unary(path, frame, tryMs);
        } catch (again) {
          error = again;
        }
      }
    });
  }

  /** Turns away from a member that does not answer. */
  #mayTryAgain(channel: GrpcChannel, thrown: unknown, mayRepeat: (error: GrpcError) => boolean): boolean {
    const error = outOfTime(thrown);
    if (!(error instanceof GrpcError) || !error.elsewhere) return false;
    this.leave(channel);
    if (error.code === DEADLINE_EXCEEDED) this.onLate(channel);
    return mayRepeat(error) && !this.#closed.signal.aborted;
  }
}

/** gRPC's code for whatever has no other. */
const UNKNOWN = 2;

/** A member that is told how long we wait may say that this time is over before we see it ourselves; by a code that says nothing else. */
function outOfTime(error: unknown): unknown {
  if (!(error instanceof GrpcError) || error.code !== UNKNOWN || error.message !== "context deadline exceeded") return error;
  return new GrpcError(DEADLINE_EXCEEDED, error.message);
}
