"""The phrases of an operation are written out for the words that a sentence begins with."""

from __future__ import annotations

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.trees import Leaf, PhraseTree, phrase_tree
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.tool import Lexicon, Phrase

LEXICON = Lexicon(
    frames=("{verb} {target}", "{verb} it {noun}", "please {verb} the {noun} of it", "the last photo {noun}"),
    verbs=("turn", "set", "get rid of"),
    nouns=("upside down", "Round"),
)
ABROAD = Lexicon(frames=("mach it {noun}",), nouns=("größer",), language="de")
PHRASES = (Phrase("flip the {target}"),)
FUNCTION = PlannerFunction(
    name="turn_image",
    description="Turn.",
    parameters={},
    phrases=PHRASES,
    lexicons=(LEXICON, ABROAD),
)


def tree_of(language: str = "en", *, is_fallback: bool = False) -> PhraseTree:
    return PhraseTree(PHRASES, (LEXICON, ABROAD), language, is_fallback=is_fallback)


def texts(leaf: Leaf) -> set[str]:
    return {text for start in leaf.starts for text, _ in leaf.beginning(start)}


def test_a_tree_knows_what_phrases_begin_with() -> None:
    assert tree_of().beginnings == {
        "turn",
        "set",
        "get",
        "please",
        "<image>",
        "flip",
    }
    assert tree_of("de").beginnings == {"mach"}
    assert not tree_of(is_fallback=True).beginnings


def test_branches_hold_the_phrases_that_go_on_with_a_word() -> None:
    turn = tree_of().branch("turn")
    assert turn.words == {"", "it"}
    assert texts(turn.leaf("")) == {"turn {target}"}
    assert texts(turn.then("it").leaf("round")) == {"turn it Round"}
    assert turn.then("it").words == {"upside", "round"}


def test_several_words_may_stand_for_a_choice() -> None:
    tree = tree_of()
    assert texts(tree.branch("get").then("rid").leaf("of")) == {
        "get rid of {target}",
        "get rid of it upside down",
        "get rid of it Round",
    }
    assert texts(tree.branch("please").then("set").leaf("the")) == {
        "please set the upside down of it",
        "please set the Round of it",
    }


def test_a_name_of_the_image_is_found_by_its_second_word() -> None:
    tree = tree_of()
    flip = tree.branch("flip")
    assert [texts(leaf) for leaf in flip.naming("the")] == [{"flip the {target}"}]
    assert list(tree.branch("turn").naming("it"))


def test_a_phrase_has_what_declares_it() -> None:
    assert tree_of().branch("flip").leaf("the").beginning("flip the ") == [("flip the {target}", PHRASES[0])]
    assert tree_of().branch("turn").leaf("").beginning("turn ") == [("turn {target}", LEXICON)]


def test_words_of_phrases_are_those_outside_of_slots() -> None:
    book = PhraseBook([FUNCTION])
    assert {"upside", "flip", "photo", "the"} <= book.vocabulary
    assert not book.vocabulary & {"target", "verb", "noun"}
    assert book.settings == {"down", "round"}
    german = PhraseBook([FUNCTION], "de")
    assert german.vocabulary == {"mach", "it", "größer"}
    assert german.knows("größer")
    assert not german.knows("groß")
    assert german.begins("mach")
    assert not german.begins("größer")


def test_a_tree_is_made_once_for_the_same_phrases() -> None:
    trees = [
        phrase_tree(phrases, (LEXICON, ABROAD), language, is_fallback=False)
        for phrases, language in ((PHRASES, "en"), ((*PHRASES,), "en"), (PHRASES, "de"), ((), "en"))
    ]
    assert trees[0] is trees[1]
    assert len(set(map(id, trees))) == 3
