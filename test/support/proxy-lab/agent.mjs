// One machine of a test network: answers at ports with its name and who asked, and asks others as it is told, a JSON line each.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const [name = ""] = process.argv.slice(2);
const answer = (address, port) => `${name} ${address.replace(/^::ffff:/, "")} ${port}`;

// UDP is answered from the address that was asked only where the socket is bound to it.
function listen(port, addresses) {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(answer(socket.remoteAddress ?? "", socket.remotePort));
  });
  const bound = addresses.map((address) => {
    const udp = createSocket({ type: address.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    udp.on("message", (_, from) => udp.send(answer(from.address, from.port), from.port, from.address));
    return new Promise((resolve) => udp.bind(port, address, resolve));
  });
  return Promise.all([...bound, new Promise((resolve) => tcp.listen(port, "::", resolve))]);
}

function askTcp({ host, port, timeoutMs }) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    const end = (result) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end({ error: "TIMEOUT" }), timeoutMs);
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", (error) => end({ error: error.code }));
    socket.on("end", () => end({ text }));
  });
}

function askUdp({ host, port, localPort = 0, timeoutMs }) {
  return new Promise((resolve) => {
    const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", reuseAddr: true });
    const end = (result) => {
      clearTimeout(timer);
      socket.close(() => resolve(result));
    };
    const timer = setTimeout(() => end({ error: "TIMEOUT" }), timeoutMs);
    socket.on("message", (message) => end({ text: message.toString() }));
    socket.on("error", (error) => end({ error: error.code }));
    socket.bind(localPort, () => socket.connect(port, host, (error) => (error ? end({ error: error.code }) : socket.send("?"))));
  });
}

const does = {
  listen: ({ ports, addresses }) => Promise.all(ports.map((port) => listen(port, addresses))).then(() => ({})),
  tcp: askTcp,
  udp: askUdp,
};
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, op, ...rest } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify({ id, ...(await does[op](rest)) })}\n`);
  })
  .on("close", () => process.exit(0));
