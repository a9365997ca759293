// Prints what failed and what was skipped in test runs, and their closing line: "N passed, N failed".
// A run that left no report counts as one failure, and so does a file that could not be loaded.
//
//   node hack/count-tests.mjs REPORT.json...
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/** Lines of a failure's text that are shown: enough for what was expected. */
const SHOWN_LINES = 30;

let passed = 0;
const failed = [];
const skipped = [];
for (const report of process.argv.slice(2)) {
  if (!existsSync(report)) failed.push(`${report}: the run left no report`);
  else for (const file of JSON.parse(readFileSync(report, "utf8")).testResults) count(file);
}
for (const what of skipped) console.log(`skipped: ${what}`);
for (const what of failed) console.log(`failed: ${what}`);
console.log(`\n${passed} passed, ${failed.length} failed`);

function count({ name, status, message, assertionResults }) {
  const file = relative(process.cwd(), name);
  for (const test of assertionResults) {
    if (test.status === "passed") passed++;
    else if (test.status === "failed") failed.push(`${file}: ${test.fullName}\n${head(test.failureMessages?.join("\n"))}`);
    else skipped.push(`${file}: ${test.fullName}`);
  }
  if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) failed.push(`${file}\n${head(message)}`);
}

function head(text = "") {
  return text.split("\n").slice(0, SHOWN_LINES).join("\n");
}
