// Prints the closing line of a test run: "N passed, N failed". A run that left no report counts as one failure.
import { existsSync, readFileSync } from "node:fs";

const file = process.argv[2] ?? "";
const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { numPassedTests: 0, numFailedTests: 1 };
const suites = report.numFailedTests === 0 ? (report.numFailedTestSuites ?? 0) : 0;
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + suites} failed`);
