// Draws docs/up.svg, README's picture: what `kybern up` and kubectl really print, in a fresh directory.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "kybern-picture-"));

/** Of the monospace fonts named below, in pixels: the height of a line and the width of a character. */
const LINE = 18;
const CHAR = 8.1;
const MARGIN = 18;
const BAR = 30;

/** Resolves with what the program printed when it is up. */
function started(child) {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("Ctrl-C")) resolve(text);
    });
    child.on("exit", () => reject(new Error(`kybern up ended: ${text}`)));
  });
}

function kubectl(line) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, HOME: dir, KUBECONFIG: join(dir, ".kybern/admin.kubeconfig") };
    execFile("kubectl", line.split(" "), { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** One terminal: lines that begin with `$ ` are what was typed. */
function draw(lines) {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHAR) + 2 * MARGIN;
  const height = BAR + MARGIN + lines.length * LINE + MARGIN / 2;
  const rows = lines.map((line, index) => {
    const y = BAR + MARGIN + index * LINE;
    const typed = line.startsWith("$ ");
    const text = escaped(typed ? line.slice(2) : line);
    const prompt = typed ? `<tspan fill="#7ee787">$ </tspan>` : "";
    return `  <text x="${MARGIN}" y="${y}" fill="${typed ? "#ffffff" : "#c9d1d9"}" xml:space="preserve">${prompt}${text}</text>`;
  });
  const dots = ["#ff5f56", "#ffbd2e", "#27c93f"].map(
    (fill, index) => `  <circle cx="${MARGIN + 4 + index * 18}" cy="16" r="5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="A terminal: kybern up, and kubectl working with it">
  <rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
${dots.join("\n")}
  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13.4">
${rows.join("\n")}
  </g>
</svg>
`;
}

const child = spawn(process.execPath, [join(root, "dist/cmd/kybern.js"), "up", "--nodes", "3", "--secure-port", "6443"], {
  cwd: dir,
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const banner = (await started(child)).trim();
  const lines = ["$ npm start -- --nodes 3", ...banner.split("\n"), ""];
  for (const command of [
    "get nodes",
    "create deployment web --image=nginx --replicas=3",
    "rollout status deployment web",
    "get pods -o wide",
  ]) {
    const output = await kubectl(command);
    lines.push(`$ kubectl ${command}`, ...output.trimEnd().split("\n"), "");
  }
  writeFileSync(join(root, "docs/up.svg"), draw(lines.slice(0, -1)));
} finally {
  child.kill();
  await new Promise((resolve) => child.on("exit", resolve));
  rmSync(dir, { recursive: true, force: true });
}
