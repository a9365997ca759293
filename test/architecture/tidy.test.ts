import { expect, test } from "vitest";
import { readSourceTree } from "./source-tree.ts";

const tree = readSourceTree();
const sources = tree.filter((file) => !file.path.includes("/generated/"));

/** Files that start things and so are imported by nothing. */
const ENTRY = /^(cmd\/(kybern|launch)|envtest\/envtest)\.ts$/;

test("no barrels and no files without a concept", () => {
  expect(tree.map((file) => file.path).filter((path) => /(^|\/)(index|utils?|helpers|common|misc)\.ts$/.test(path))).toEqual([]);
});

test("no file that nothing imports", () => {
  const imported = new Set(tree.flatMap((file) => file.imports.map(({ target }) => target)));
  const orphans = sources
    .map((file) => file.path)
    .filter((path) => !imported.has(path) && !ENTRY.test(path) && !/\.(test|bench)\.ts$/.test(path));
  expect(orphans).toEqual([]);
});

test("no note of work to do without an issue", () => {
  const wrong = sources.filter((file) => /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(file.text)).map((file) => file.path);
  expect(wrong).toEqual([]);
});

test("every exported function and class says what it is for", () => {
  const wrong = sources
    .filter((file) => !/\.(test|bench)\.ts$/.test(file.path))
    .flatMap((file) => {
      const lines = file.text.split("\n");
      return lines.flatMap((line, i) => {
        if (!/^export (async )?(function|class|abstract class) /.test(line)) return [];
        const before = lines[i - 1] ?? "";
        const overload = /^export (async )?function/.test(before);
        return overload || /(\*\/|^\/\/ biome-ignore)/.test(before) ? [] : [`${file.path}: ${line.slice(0, 80)}`];
      });
    });
  expect(wrong).toEqual([]);
});

test("only base and cmd touch the machine's clock", () => {
  const wrong = sources
    .filter((file) => !["base", "cmd"].includes(file.component) && !/\.(test|bench|contract)\.ts$/.test(file.path))
    .filter((file) => /\bDate\.now\(|new Date\(\)|\bMath\.random\(/.test(file.text))
    .map((file) => file.path);
  expect(wrong).toEqual([]);
});

// The bundler writes strings as ASCII but leaves regular expressions alone, and V8 keeps a whole chunk with one such letter at two bytes a letter.
test("regular expressions are written in ASCII", () => {
  const wrong = sources
    .filter((file) => !/\.(test|bench)\.ts$/.test(file.path))
    .flatMap((file) => file.text.split("\n").map((line) => ({ path: file.path, line })))
    .filter(({ line }) => /[^\0-\x7f]/.test(line) && !/^\s*(\/\/|\/?\*)/.test(line))
    .filter(({ line }) => /\/.*[^\0-\x7f].*\//.test(line.replaceAll(/"(\\.|[^"\\])*"|`(\\.|[^`\\])*`|\s\/\/ .*$/g, "")));
  expect(wrong.map(({ path, line }) => `${path}: ${line.trim()}`)).toEqual([]);
});
