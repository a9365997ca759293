import { execFile } from "node:child_process";
import type { Logger } from "#component-base/logging.ts";

/**
 * Tells systemd that the program is ready (`Type=notify`), where it asked to be told by `NOTIFY_SOCKET`. Node has no datagram
 * sockets of that kind: systemd's own `systemd-notify` speaks for this process. Never rejects.
 */
export async function notifyReady(logger: Logger): Promise<void> {
  if (process.env.NOTIFY_SOCKET === undefined || process.env.NOTIFY_SOCKET === "") return;
  await new Promise<void>((resolve) => {
    execFile("systemd-notify", ["--ready", `--pid=${process.pid}`], { timeout: 5_000 }, (error) => {
      if (error) logger.warn({ err: error }, "systemd could not be told that the program is ready");
      resolve();
    });
  });
}
