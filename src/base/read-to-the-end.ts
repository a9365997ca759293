import type { Duplex } from "node:stream";

/** What a write fails with once the other side has gone. */
const GONE: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET"]);

type Done = (error?: Error | null) => void;

/**
 * Lets a connection be read to its end though the other side does not listen any more. Node destroys a socket at the first write
 * that fails, and with it what was said before and not read yet, such as the exit code of a command that left input unread. What is
 * written from then on goes nowhere; reading tells when the connection ends.
 */
export function readToTheEnd(socket: Duplex): void {
  let isGone = false;
  const unlessGone = (done: Done): Done => {
    return (error) => {
      isGone ||= GONE.has((error as NodeJS.ErrnoException | null | undefined)?.code);
      done(isGone ? null : error);
    };
  };
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => (isGone ? done() : write(chunk, encoding, unlessGone(done)));
  if (writev !== undefined) socket._writev = (chunks, done) => (isGone ? done() : writev(chunks, unlessGone(done)));
}
