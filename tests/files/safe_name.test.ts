import fc from "fast-check";
import { basename, join, resolve, sep, win32 } from "node:path";
import * as assert from "uvu/assert";
import { cut, numberedName, safeName } from "../../files/safe_name.ts";
import { suite } from "../support/harness.ts";
import { rejection } from "../support/rejections.ts";

const test = suite("safeName");

const NAMES: readonly (readonly [string, string])[] = [
  // Good names are unchanged.
  ["report.pdf", "report.pdf"],
  ["résumé (final) – v2.tar.gz", "résumé (final) – v2.tar.gz"],
  ["日本語.txt", "日本語.txt"],
  ["😀.png", "😀.png"],
  ["a..b", "a..b"],
  // Folders, in any notation.
  ["../../etc/passwd", "passwd"],
  ["..\\..\\windows\\win.ini", "win.ini"],
  ["/etc/shadow", "shadow"],
  ["C:\\boot.ini", "boot.ini"],
  ["C:boot.ini", "boot.ini"],
  ["\\\\server\\share\\x.txt", "x.txt"],
  ["\\\\?\\C:\\x.txt", "x.txt"],
  ["a/b\\c/d.txt", "d.txt"],
  ["photos/", "photos"],
  ["..\u200b/..\u2060/x", "x"],
  // Invisible characters.
  ["a\0b.txt", "ab.txt"],
  ["evil\u202egpj.exe", "evilgpj.exe"],
  ["a\u200b\ufeff\u00ad\u2066b\u{e0041}.txt", "ab.txt"],
  ["two\nlines\t.txt", "two lines .txt"],
  ["report.pdf" + " ".repeat(50) + ".exe", "report.pdf .exe"],
  ["bell\u0007\u009b31m", "bell31m"],
  // Windows.
  ["CON", "_CON"],
  ["nul.txt", "_nul.txt"],
  ["Com1.tar.gz", "_Com1.tar.gz"],
  ["LPT¹", "_LPT¹"],
  ["aux .c", "_aux .c"],
  ["console.log", "console.log"],
  ["what?.txt:hidden", "what_.txt_hidden"],
  ['<a>|"b"*', "_a___b__"],

  ["trailing. . .", "trailing"],
  // Hidden files.
  [".bashrc", "bashrc"],
  ["...x", "x"],
  [" . .ssh", "ssh"],
  // Unicode.
  ["e\u0301.txt", "\u00e9.txt"],
  ["e\u200b\u0301.txt", "\u00e9.txt"],
  ["lone\ud800.txt", "lone\ufffd.txt"],
];

for (const [name, expected] of NAMES) {
  test(`safeName: ${JSON.stringify(name)} is ${JSON.stringify(expected)}`, () => {
    assert.is(safeName(name, 200), expected);
  });
}

test("safeName: dots, spaces and invisible characters alone are unsafe-name", async () => {
  for (
    const name of ["", ".", "..", "...", "/", "\\", "../", "a/..", " ", "\0", "\u200b", "\u202e.\u2066.", "C:", "C:\\", " . "]
  ) {
    await rejection(() => safeName(name, 200), "unsafe-name");
  }
});

test("safeName: a long name is cut before its extension, at a code point", () => {
  assert.is(safeName("x".repeat(300) + ".pdf", 200), "x".repeat(196) + ".pdf");
  assert.is(safeName("x".repeat(300) + ".tar.gz", 20), "x".repeat(13) + ".tar.gz");
  assert.is(safeName("€".repeat(100), 200), "€".repeat(66));
  assert.is(safeName("😀".repeat(100) + ".txt", 17), "😀😀😀.txt");
  assert.is(safeName("x." + "y".repeat(300), 10), "x." + "y".repeat(8));
  assert.is(safeName("ab c.txt", 7), "ab.txt", "no space is left at the cut");
});

test("safeName: a cut never results in a device's name", () => {
  assert.is(safeName("console", 3), "co");
  assert.is(safeName("console.txt", 7), "co.txt");
  assert.is(safeName("con.b.txt", 9), "_con.txt");
});

test("safeName: a limit too small for any name is unsafe-name, an invalid limit is invalid-argument", async () => {
  await rejection(() => safeName("😀", 3), "unsafe-name");
  for (const limit of [0, -1, 1.5, NaN]) await rejection(() => safeName("a", limit), "invalid-argument");
  await rejection(() => safeName(5 as unknown as string, 200), "invalid-argument");
});

// In quadratic time these would take an hour.
test("safeName: a name of a million dots and spaces takes linear time", async () => {
  await rejection(() => safeName(". ".repeat(500_000), 200), "unsafe-name");
  assert.is(safeName("a" + ". ".repeat(500_000) + "b", 200), "a");
});

test("numberedName: a number stands before the extension, and shortens a name of full length", () => {
  assert.is(numberedName("report.pdf", 2, 200), "report (2).pdf");
  assert.is(numberedName("archive.tar.gz", 3, 200), "archive (3).tar.gz");
  assert.is(numberedName("README", 2, 200), "README (2)");
  assert.is(numberedName("x".repeat(196) + ".pdf", 10_000, 200), "x".repeat(188) + " (10000).pdf");
});

const HOSTILE = [
  "/",
  "\\",
  "..",
  ".",
  " ",
  ":",
  "C:",
  "con",
  "COM¹",
  "nul.",
  "\0",
  "\n",
  "\u202e",
  "\u200d",
  "\ufeff",
  "\ud83d",
  "\ude00",
  "😀",
  "e\u0301",
  "\u0301",
  "a",
  ".tar",
  ".pdf",
  "~",
  "%2e",
  "\u2028",
  "|",
  "\u3000",
  "ﬁ",
  "K",
];
const anyName = fc.oneof(
  fc.array(fc.constantFrom(...HOSTILE), { maxLength: 12 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary" }),
);

/** The safe name, or undefined if nothing safe is left. */
function attempt(name: string, limit: number): string | undefined {
  try {
    return safeName(name, limit);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "unsafe-name") return undefined;
    throw error;
  }
}

function assertSafe(name: string, limit: number): void {
  const bytes = new TextEncoder().encode(name);
  assert.ok(bytes.length > 0 && bytes.length <= limit, "within the limit");
  assert.is(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), name, "valid UTF-8");
  assert.is(basename(name), name, "one component");
  assert.is(win32.basename(name), name, "one component on Windows");
  assert.is(resolve(join(`${sep}folder`, name)), `${sep}folder${sep}${name}`, "inside its folder");
  assert.not.match(name, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}<>:"|?*/\\]/u);
  assert.not.match(name, /^[. ]|[. ]$|^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]) *(\.|$)/i);
  assert.is(name.normalize("NFC"), name, "in normal form");
}

test("law: safeName gives one visible component within the byte limit, and is idempotent", () => {
  fc.assert(
    fc.property(anyName, fc.oneof(fc.integer({ min: 1, max: 24 }), fc.constant(200)), (raw, limit) => {
      const name = attempt(raw, limit);
      if (name === undefined) return;
      assertSafe(name, limit);
      assert.is(safeName(name, limit), name, "idempotent");
    }),
    { numRuns: 3_000 },
  );
});

test("law: numberedName gives another name that is as safe", () => {
  fc.assert(
    fc.property(anyName, fc.integer({ min: 12, max: 40 }), fc.integer({ min: 2, max: 10_000 }), (raw, limit, number) => {
      const name = attempt(raw, limit);
      if (name === undefined) return;
      const numbered = numberedName(name, number, limit);
      assertSafe(numbered, limit);
      assert.is.not(numbered, numberedName(name, number + 1, limit));
    }),
    { numRuns: 3_000 },
  );
});

test("cut: gives the longest beginning that fits", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, limit) => {
      const kept = cut(text, limit);
      const bytes = (value: string): number => new TextEncoder().encode(value).length;
      assert.ok(text.startsWith(kept) && bytes(kept) <= limit);
      const next = [...text.slice(kept.length)][0];
      assert.ok(next === undefined || bytes(kept + next) > limit);
    }),
  );
});

test.run();
