import type { Http2Session } from "node:http2";
import { nextTurn } from "./turn.ts";

/**
 * Ends an HTTP/2 session, and all that is under way on it (with that error, where there is one), in the event loop's next turn;
 * resolves when it was told to.
 *
 * Not at once, because who ends a session often goes on from an answer that has just come on it, and Node (20.20) runs such
 * continuations while nghttp2 still works on the frame that brought the answer's end: `Http2Session::ConsumeHTTP2Data` calls
 * `HandleDataFrame` or `HandleHeadersFrame`, and these run JavaScript with its microtasks. To destroy a session resets its
 * streams one after another, and `Http2Stream::SubmitRstStream` sends meanwhile what the one before has put in line. With its
 * reset sent, nghttp2 frees the stream; back in the frame it marks the same as shut, a bit in memory that is another's by
 * then. glibc notices later and elsewhere, if at all ("corrupted size vs. prev_size"), and the process aborts. It takes a
 * younger stream beside the one whose answer ends. In a turn of its own nothing is being read.
 *
 * What is still to be written needs no waiting: a write that `Http2Session::MaybeScheduleWrite` has put off holds the session,
 * and sends nothing once it is destroyed. Single streams may be taken back with CANCEL at any time: that one waits by itself.
 *
 * https://github.com/nodejs/node/blob/v20.x/src/node_http2.cc, and `closeSession` in `lib/internal/http2/core.js` there.
 */
export function endSession(session: Http2Session, error?: Error): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(() => {
      session.destroy(error);
      resolve();
    });
  });
}

/** Ends several, as {@link endSession} does. */
export async function endSessions(sessions: Iterable<Http2Session>): Promise<void> {
  await Promise.all(Array.from(sessions, (session) => endSession(session)));
}
