"""Forms of numbers that follow one size: found from a few sizes, true at all."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unetscope.analysis.fitting import fits, telling
from unetscope.analysis.forms import Form, Part, Term, line

FIRST = (64, 129, 191, 262, 1060)
LATER = range(64, 1100)


def found(number, sizes=FIRST, among=LATER):
    """The form of a number, after sizes that tell forms apart were looked at too."""
    seen = list(sizes)
    while True:
        rivals = fits("H", [(size, Fraction(number(size))) for size in seen])
        size = telling(rivals, among) if len(rivals) > 1 else None
        if size is None:
            return rivals[0].form if rivals else None
        seen.append(size)


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 32), st.integers(-20, 20), st.integers(-5, 5))
def test_a_rounded_quotient_is_found_from_a_few_sizes(times, per, shift, plus):
    def number(size):
        return times * ((size + shift) // per) + plus

    form = found(number)
    assert form is not None
    assert [form.at({"H": size}) for size in LATER] == [number(size) for size in LATER]


def test_two_sizes_verify_nothing():
    assert fits("H", [(8, Fraction(9)), (16, Fraction(17))]) == []
    assert fits("H", [(8, Fraction(9)), (8, Fraction(9)), (16, Fraction(17))]) == []


@pytest.mark.parametrize(
    "number", [lambda size: min(size, 100), lambda size: size**2, lambda size: size % 7 + 1]
)
def test_no_form_is_made_up(number):
    assert found(number) is None


def test_where_only_multiples_were_seen_nothing_is_rounded():
    assert str(found(lambda size: -(-size // 8), (64, 128, 200, 264), ())) == "H/8"
    assert str(found(lambda size: -(-size // 8), (65, 129, 201, 265), ())) == "(H+7)/8"


def terms(*each, plus=0):
    return Form(tuple(Term(Fraction(times), factors) for times, *factors in each), Fraction(plus))


H, W, B, T = map(Part, "HWBT")


@pytest.mark.parametrize(
    ("form", "spelled"),
    [
        (line("H", Fraction(1, 8), Fraction(0)), "H/8"),
        (line("B", Fraction(2), Fraction(0)), "2B"),
        (line("H", Fraction(1), Fraction(-2)), "H-2"),
        (line("H", Fraction(1, 8), Fraction(7, 8)), "(H+7)/8"),
        (line("H", Fraction(3, 2), Fraction(1, 2)), "(3H+1)/2"),
        (line("H", Fraction(-1), Fraction(70)), "-H+70"),
        (terms((Fraction(1, 64), H, W), (1, T), plus=1), "HW/64+T+1"),
        (terms((1, T), plus=1).times(B), "B*(T+1)"),
        (terms((1, W)).times(Part("H", 7, 8)).times(B), "B*ceil(H/8)*W"),
        (terms((8, Part("H", 7, 8))), "8*ceil(H/8)"),
        (terms((1, Part("H", 3, 8))), "floor((H+3)/8)"),
        (terms((1, Part("H", 0, 8, -1)), plus=2), "floor(H/8)-1+2"),
        (terms((1, Part("H", 0, 8, -1), W)), "(floor(H/8)-1)*W"),
        (terms((1, Part("H", 1), Part("W", 1))), "(H+1)*(W+1)"),
    ],
)
def test_spelling(form, spelled):
    assert str(form) == spelled
