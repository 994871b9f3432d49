"""Writes rules/src/fold/table.rs: what the Folded view makes of every character.

Run by hand when the data changes:  pip install confusable_homoglyphs==3.3.1 && python rules/tools/fold_table.py
Data: Unicode character data as Python's unicodedata carries it; Unicode confusables as that package carries them
(both Unicode License v3).
"""

import json
import pathlib
import unicodedata

import confusable_homoglyphs

HERE = pathlib.Path(__file__).resolve().parent
CONFUSABLES = json.loads((pathlib.Path(confusable_homoglyphs.__file__).parent / "confusables.json").read_text())

# Combining marks that decorate Latin, Greek and Cyrillic; other scripts need theirs.
MARKS = [(0x300, 0x36F), (0x483, 0x489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]
PUNCTUATION = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁄": "/", "∕": "/", "․": ".", "‧": ".",
    "ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ħ": "h", "ŧ": "t",
    "ʼ": "'", "′": "'", "″": '"', "×": "x", "‹": "'", "›": "'",
}
SMALL_CAPS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"))


def ignorable(c):
    code = ord(c)
    if unicodedata.category(c) in ("Cf", "Cc", "Co", "Cn") and c not in "\t\n\r\x0b\x0c\x85":
        return unicodedata.category(c) in ("Cf", "Cc")
    if any(low <= code <= high for low, high in MARKS):
        return True
    return (0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
            or code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0, 0x2800))


def regional(code):
    return chr(ord("a") + code - 0x1F1E6) if 0x1F1E6 <= code <= 0x1F1FF else None


def enclosed(code):
    for base in (0x1F130, 0x1F150, 0x1F170):
        if base <= code <= base + 25:
            return chr(ord("a") + code - base)
    return None


def look_alike(c):
    """The ASCII letter, digit or punctuation that a character is taken for, if it is one."""
    for one in CONFUSABLES.get(c, []):
        text = one["c"]
        if len(text) == 1 and text.isascii() and text.isprintable():
            name = unicodedata.name(c, "")
            if text in "l1I|" and (" I" in name or "IOTA" in name) and "LETTER L" not in name:
                return "i"
            return text
    return None


def fold(c):
    code = ord(c)
    if code < 0x80:
        if c in "\t\n\r\x0b\x0c ":
            return " "
        return "" if code < 0x20 or code == 0x7F else c.lower()
    if 0xE0020 <= code <= 0xE007E:
        return fold(chr(code - 0xE0000))
    if c.isspace() or unicodedata.category(c) in ("Zs", "Zl", "Zp"):
        return " "
    if ignorable(c):
        return ""
    special = PUNCTUATION.get(c) or SMALL_CAPS.get(c) or regional(code) or enclosed(code) or PUNCTUATION.get(c.lower())
    if special:
        return special
    compatible = unicodedata.normalize("NFKC", c)
    if compatible != c and compatible.isascii():
        return "".join(fold(x) for x in compatible) if len(compatible) <= 8 else c
    category = unicodedata.category(c)
    plain = unicodedata.normalize("NFKD", c)
    stripped = "".join(x for x in plain if not any(low <= ord(x) <= high for low, high in MARKS))
    if stripped and stripped != c and stripped.isascii() and len(stripped) <= 4:
        return "".join(fold(x) for x in stripped)
    if category[0] in "LNPS" and not (0x3000 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF):
        alike = look_alike(c)
        if alike and (category[0] == "L") == alike.isalpha() or alike and category[0] in "PSN":
            return alike.lower()
    if stripped and stripped != c and category[0] == "L" and len(stripped) == 1:
        return fold(stripped)
    # Compatibility ideographs and squared words are no way to write an instruction that a keyword knows.
    ideographic = 0x2E80 <= code <= 0x2FDF or 0x3200 <= code <= 0x33FF or 0xF900 <= code <= 0xFAFF or code >= 0x2F800
    if compatible != c and len(compatible) <= 4 and not ideographic:
        return "".join(fold(x) for x in compatible)
    lower = c.lower()
    return lower if len(lower) == 1 and unicodedata.normalize("NFKC", lower) == lower else c


def closed(c):
    """Folds until nothing changes, so that folding twice is folding once."""
    text = fold(c)
    for _ in range(8):
        again = "".join(fold(x) for x in text)
        if again == text:
            return text
        text = again
    raise SystemExit(f"{c!r} does not settle")


def simple_lower(c):
    lower = c.lower()
    return lower if len(lower) == 1 else c


def main():
    entries = []
    for code in range(0x80, 0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        text = closed(chr(code))
        # Plain case folding is the standard library's, so the table only has what it does not know.
        if text != simple_lower(chr(code)):
            entries.append((code, text))
    # Runs: the same text for all, or one character that counts up with the code (or every second code).
    runs = []
    for code, text in entries:
        if runs:
            start, end, kind, value = runs[-1]
            if code == end + 1 and len(text) == 1 and kind in ("same1", "step") and len(value) == 1:
                if kind != "step" and text == value:
                    runs[-1] = (start, code, "same1", value)
                    continue
                if (kind == "step" or start == end) and ord(text) == ord(value) + code - start:
                    runs[-1] = (start, code, "step", value)
                    continue
            if code == end + 1 and text == value and kind == "same":
                runs[-1] = (start, code, "same", value)
                continue
        runs.append((code, code, "same1" if len(text) == 1 else "same", text))
    pool = ""
    rows = []
    for start, end, kind, value in runs:
        step = 1 if kind == "step" else 0
        if value and value not in pool:
            pool += value
        at = len(pool[: pool.index(value)].encode()) if value else 0
        rows.append((start, end - start, step, at, len(value.encode())))
    out = ["// Written by rules/tools/fold_table.py; do not edit.",
           "",
           "/// All replacement texts, run together.",
           f"pub(super) const POOL: &str = {json.dumps(pool, ensure_ascii=False)};",
           "",
           "/// First character, how many follow it, whether the replacement counts up, its place and length in [`POOL`].",
           "#[rustfmt::skip]",
           f"pub(super) const RUNS: [(u32, u16, bool, u16, u8); {len(rows)}] = ["]
    line = "   "
    for start, extra, step, at, size in rows:
        cell = f" ({start:#x},{extra},{'true' if step else 'false'},{at},{size}),"
        if len(line) + len(cell) > 118:
            out.append(line)
            line = "   "
        line += cell
    out += [line, "];", ""]
    path = HERE.parent / "src/fold/table.rs"
    path.write_text("\n".join(out))
    print(f"{len(entries)} characters, {len(rows)} runs, pool {len(pool.encode())} bytes -> {path}")


if __name__ == "__main__":
    main()
