import { describe, expect, test } from "vitest";
import { type Clock, realClock } from "#base/clock.ts";
import { Allowance, CONTAINER_LIMITS } from "../allowance.ts";
import { BytePipe } from "../byte-pipe.ts";
import { ContainerShell } from "../container-shell.ts";
import { withAll } from "../read-all.ts";
import { STEPS_MAX } from "../work.ts";

const config = {
  metadata: { name: "c", attempt: 0 },
  image: { image: "i" },
  command: [],
  args: [],
  labels: {},
  annotations: {},
  envs: [{ key: "NAME", value: "a b" }],
};

async function run(
  script: string,
  input = "",
  signal = new AbortController().signal,
  stepsMax = STEPS_MAX,
  limits = CONTAINER_LIMITS,
  clock = realClock,
) {
  const allowance = new Allowance(limits);
  const shell = new ContainerShell({ clock, config, hostname: "web", ip: "10.0.0.2", allowance, inside: undefined });
  const [stdin, stdout, stderr] = [new BytePipe(), new BytePipe(), new BytePipe()];
  if (input !== "") await stdin.write(input);
  stdin.end();
  const program = shell.program("/bin/sh");
  const code = await program?.(["-c", script], shell.process({ stdin, stdout, stderr }, false, signal, stepsMax));
  stdout.end();
  stderr.end();
  const text = (pipe: BytePipe): Promise<string> => withAll(pipe, allowance, String);
  return { code, out: await text(stdout), err: await text(stderr), held: allowance.busy };
}

const cases: readonly (readonly [script: string, out: string, code?: number, input?: string])[] = [
  ["echo a  b", "a b\n"],
  ["echo 'a  b' \"c $HOSTNAME\" \\$x", "a  b c web $x\n"],
  ['echo $NAME "$NAME"; for x in $NAME "$NAME"; do echo "<$x>"; done', "a b a b\n<a>\n<b>\n<a b>\n"],
  [`echo \${MISSING:-other} [$MISSING]`, "other []\n"],
  ["exit 3", "", 3],
  ["false", "", 1],
  ["true && echo yes || echo no", "yes\n"],
  ["false && echo yes || echo no", "no\n"],
  ["! false && echo not", "not\n"],
  ["false; echo $?", "1\n"],
  ["(exit 4); echo $?", "4\n"],
  ["X=1; (X=2; echo $X); echo $X", "2\n1\n"],
  ["X=1 env | grep X=", "X=1\n"],
  ["seq 5 | head -n 3 | tail -n 1", "3\n"],
  ["yes | head -n 2", "y\ny\n"],
  ["echo $(echo $((2 + 3 * (4 - 1))))", "11\n"],
  ["i=0; while [ $i -lt 3 ]; do i=$((i+1)); if [ $i -eq 2 ]; then continue; fi; echo $i; done", "1\n3\n"],
  ["until false; do echo once; break; done", "once\n"],
  ["if [ -d /tmp ]; then echo dir; elif true; then echo no; else echo never; fi", "dir\n"],
  ["echo x > /tmp/f; echo y >> /tmp/f; cat < /tmp/f; wc -l /tmp/f", "x\ny\n2 /tmp/f\n"],
  ["cat", "typed", 0, "typed"],
  ["read a; read b; echo $b $a", "2 1\n", 0, "1\n2\n"],
  ["{ echo out; echo err >&2; } 2>&1 | sort-is-not-there || true; echo done", "done\n"],
  ["cd /tmp && mkdir -p a/b && touch a/b/c && ls a/b && pwd", "c\n/tmp\n"],
  ["ln -s /etc /link; cat /link/hostname; rm /link; ls /link", "web\n", 1],
  ["cp /etc/hostname /tmp; mv /tmp/hostname /tmp/h; cat /tmp/h; rm -r /tmp/h; test -e /tmp/h", "web\n", 1],
  ["mkdir /src; echo 1 > /src/a; cd /; tar cf /x.tar src; mkdir /dst; tar xf /x.tar -C /dst; cat /dst/src/a", "1\n"],
  ["printf '%s=%d\\n' a 1 b 2", "a=1\nb=2\n"],
  ["echo one # not this", "one\n"],
  ["set -e; sleep 0.01 & wait; echo slept", "slept\n"],
  ["sh -c 'echo $1-$#' name x y", "x-2\n"],
  ["eval 'echo e'; which ls nosuch", "e\n/bin/ls\n", 1],
  ["date -u +%Y | wc -c", "5\n"],
  ["tty", "not a tty\n", 1],
];

const complete = cases.map(([script, out, code = 0, input = ""]) => ({ script, out, code, input }));
test.each(complete)("$script", async ({ script, out, code, input }) => {
  expect(await run(script, input)).toMatchObject({ out, code });
});

const failing: readonly (readonly [script: string, err: string, code: number])[] = [
  ["nosuch", "sh: nosuch: not found\n", 127],
  ["echo 'open", "sh: unterminated quoted string\n", 2],
  ["if true; then", "sh: syntax error: unexpected end of file\n", 2],
  ["echo a; )", 'sh: syntax error: unexpected ")"\n', 2],
  ["cat /missing", "cat: can't open '/missing': No such file or directory\n", 1],
  ["echo x > /no/file", "sh: can't create /no/file: No such file or directory\n", 1],
  ["cd /nowhere", "sh: cd: can't cd to /nowhere: No such file or directory\n", 1],
  ["rm /tmp", "rm: /tmp: is a directory\n", 1],
  ["echo $((1/0))", "sh: divide by zero\n", 2],
  ["tar xf /etc/hostname", "", 0],
];
test.each(failing)("%s says what is wrong", async (script, err, code) => {
  expect(await run(script)).toMatchObject({ err, code });
});

describe("nothing runs away", () => {
  test.each([
    ["a script inside scripts inside scripts", `${"$(".repeat(3000)}x`],
    ["parentheses", "(".repeat(10_000)],
    ["a script that starts itself", "echo 'sh /s' > /s; sh /s"],
    ["a text that is evaluated again and again", "X='eval $X'; eval $X"],
    ["a value that doubles", `X=${"x".repeat(1000)}; ${"X=$X$X; ".repeat(40)}`],
    ["a substitution without end", "X=$(yes)"],
    ["words without end", "set -- $(seq 1 100000)"],
    ["commands inside one another", `${"$(echo ".repeat(30)}x${")".repeat(30)}`],
    ["commands that start two of themselves", 'F=\'sh -c "$F" & sh -c "$F" & wait\'; export F; sh -c "$F"; exit 1'],
    ["a pipeline of very many", `${"true|".repeat(1000)}true`],
    ["many questions", `[ ${"! ".repeat(9001)} x ]`],
    ["operators that all objects have", "[ 1 constructor 2 ]"],
    ["names that are too long", `mkdir /${"x".repeat(300)}`],
    ["links to links to links", `ln -s . /l; cat ${"/l".repeat(100)}/x`],
  ])("%s ends with an error", async (_name, script) => {
    expect((await run(script)).code).not.toBe(0);
  });

  test.each([
    ["a loop", "while true; do :; done"],
    ["numbers", "seq 1 1000000000000 > /dev/null"],
    ["a loop that writes", "while true; do echo x; done > /f"],
    [
      "a format",
      `printf '%s' ${"x ".repeat(1000)} > /dev/null; while true; do printf '%s' ${"x ".repeat(1000)}; done > /dev/null`,
    ],
    ["commands behind", "while true; do : & done"],
  ])("%s that goes on for ever lets others have their turn, and ends after so many steps", async (_name, script) => {
    let rests = 0;
    const counting: Clock = {
      ...realClock,
      sleep(ms, signal) {
        rests++;
        return realClock.sleep(ms, signal);
      },
    };
    await expect(run(script, "", undefined, 5000, CONTAINER_LIMITS, counting)).rejects.toThrow("too many steps");
    expect(rests).toBeGreaterThan(20);
  });

  test("a file is as large as the container may hold, and no larger", async () => {
    const { code, err, held } = await run("yes > /f", "", undefined, STEPS_MAX, { bytes: 1024 * 1024, processes: 4 });
    expect({ code, err, held }).toEqual({ code: 1, err: "yes: No space left on device\n", held: 0 });
  });

  test("a loop without end ends when it is told to", async () => {
    const ending = new AbortController();
    const running = run("while true; do :; done", "", ending.signal);
    setImmediate(() => ending.abort(new Error("ended")));
    await expect(running).rejects.toThrow("ended");
  });
});
