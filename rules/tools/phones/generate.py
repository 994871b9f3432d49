"""Writes rules/src/validate/personal/plans.rs from libphonenumber's metadata, as the package `phonenumbers` carries it.

    pip install phonenumbers==9.0.43
    python3 rules/tools/phones/generate.py > rules/src/validate/personal/plans.rs

For every calling code it takes what national numbers look like in general, in all countries that share the code, and
works out which lengths are possible behind each two leading digits.
"""

import re
from re import _constants as code, _parser as parser

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

LONGEST = 15
DIGITS = frozenset("0123456789")
HEAD = """\
//! Which national numbers there are behind each calling code.
//!
//! Written by rules/tools/phones/generate.py from the metadata of libphonenumber {version} (Apache-2.0, Copyright The
//! Libphonenumber Authors); do not edit.

/// A calling code, and from which two leading digits of the national number on which lengths are possible: a bit each.
pub(super) type Plan = (u16, &'static [(u8, u16)]);

/// All calling codes in order.
#[rustfmt::skip]
pub(super) const PLANS: &[Plan] = &["""


class Machine:
    """A nondeterministic automaton over digits."""

    def __init__(self, pattern):
        self.silent, self.steps = [], []
        self.start, self.end = self.state(), self.state()
        self.sequence(parser.parse(pattern), self.start, self.end)

    def state(self):
        self.silent.append([])
        self.steps.append([])
        return len(self.silent) - 1

    def sequence(self, items, here, end):
        for item in items:
            here = self.item(item, here)
        self.silent[here].append(end)

    def item(self, item, here):
        kind, value = item
        there = self.state()
        if kind is code.LITERAL:
            self.steps[here].append((frozenset(chr(value)), there))
        elif kind is code.IN:
            self.steps[here].append((frozenset().union(*map(members, value)), there))
        elif kind is code.BRANCH:
            for choice in value[1]:
                self.sequence(choice, here, there)
        elif kind is code.SUBPATTERN:
            self.sequence(value[3], here, there)
        elif kind is code.MAX_REPEAT:
            least, most, inner = value
            for count in range(most):
                if count >= least:
                    self.silent[here].append(there)
                next_one = self.state()
                self.sequence(inner, here, next_one)
                here = next_one
            self.silent[here].append(there)
        else:
            raise ValueError(f"{kind} in a pattern")
        return there

    def closed(self, states):
        states, todo = set(states), list(states)
        while todo:
            for state in self.silent[todo.pop()]:
                if state not in states:
                    states.add(state)
                    todo.append(state)
        return states

    def step(self, states, digits):
        return self.closed({there for state in states for taken, there in self.steps[state] if taken & digits})

    def lengths(self, lead):
        """The lengths of what it takes that begins with `lead`."""
        states = self.closed({self.start})
        for digit in lead:
            states = self.step(states, {digit})
        found = set()
        for length in range(len(lead), LONGEST + 1):
            if self.end in states:
                found.add(length)
            states = self.step(states, DIGITS)
        return found


def members(one):
    kind, value = one
    if kind is code.LITERAL:
        return frozenset(chr(value))
    if kind is code.RANGE:
        return frozenset(map(chr, range(value[0], value[1] + 1)))
    if one == (code.CATEGORY, code.CATEGORY_DIGIT):
        return DIGITS
    raise ValueError(f"{one} in a class")


def metadata(region, calling_code):
    if region == "001":
        return PhoneMetadata.metadata_for_nongeo_region(calling_code, None)
    return PhoneMetadata.metadata_for_region(region, None)


def runs(calling_code, regions):
    patterns = {metadata(region, calling_code).general_desc.national_number_pattern for region in regions}
    machines = [Machine(pattern) for pattern in sorted(patterns)]
    room = LONGEST - len(str(calling_code))
    found, last = [], 0
    for lead in range(100):
        lengths = set().union(*(machine.lengths(f"{lead:02}") for machine in machines))
        mask = sum(1 << length for length in lengths if length <= room)
        if mask != last:
            found.append((lead, mask))
            last = mask
    return found


def main():
    print(HEAD.format(version=phonenumbers.__version__))
    for calling_code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
        pairs = ", ".join(f"({lead}, {mask:#x})" for lead, mask in runs(calling_code, regions))
        print("\n".join(wrapped(f"({calling_code}, &[{pairs}]),")))
    print("];")


def wrapped(text):
    """Lines of at most 100 characters."""
    return [f"    {line.strip()}" for line in re.findall(r".{1,94}(?:,(?= )|$)", text)]


if __name__ == "__main__":
    main()
